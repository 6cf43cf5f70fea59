// One agent a network namespace: the lock, its state, and what a killed agent leaves to the next.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { AgentLock, runningAgent } from "../../../src/agent/agent-lock.ts";
import type { Attachment } from "../../../src/meter/index.ts";

// Numbers that no network namespace of a running kernel has.
const FIRST = 0xf0_0000_0000 + process.pid * 16;
let next = FIRST;
const inode = () => next++;
afterAll(() => {
  for (let used = FIRST; used < next; used++) {
    for (const end of ["lock", "json"])
      rmSync(`/run/ioamctl/agent-${used}.${end}`, { force: true });
  }
});

const MADE: Attachment = {
  netns: null,
  interfaceName: "eth1",
  ifindex: 2,
  direction: "ingress",
  hook: "tcx",
  programId: 42,
};

it("is held by one, who says what it does", async () => {
  const netns = inode();
  expect(runningAgent(netns)).toBeUndefined();
  const lock = await AgentLock.acquire(netns);
  expect(runningAgent(netns)).toEqual({ pid: process.pid, state: "starting" });
  lock.write("running", []);
  expect(runningAgent(netns)).toEqual({ pid: process.pid, state: "running" });
  await expect(AgentLock.acquire(netns)).rejects.toThrow(new RegExp(`pid ${process.pid}`));
  lock.write("stopping", []);
  expect(runningAgent(netns)).toEqual({ pid: process.pid, state: "stopping" });
  lock.release();
  expect(runningAgent(netns)).toBeUndefined();
  (await AgentLock.acquire(netns)).release();
});

it("is not lost to those who only look", async () => {
  const netns = inode();
  (await AgentLock.acquire(netns)).release();
  const looking = setInterval(() => runningAgent(netns), 0);
  onTestFinished(() => clearInterval(looking));
  for (let i = 0; i < 50; i++) (await AgentLock.acquire(netns)).release();
});

it("goes with its process, and leaves a note of what is to be undone", async () => {
  const netns = inode();
  const module = new URL("../../../src/agent/agent-lock.ts", import.meta.url).href;
  const source = `
    import { AgentLock } from ${JSON.stringify(module)};
    const lock = await AgentLock.acquire(${netns});
    lock.write("running", [${JSON.stringify(MADE)}]);
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(runningAgent(netns)).toEqual({ pid: child.pid, state: "running" });
  child.kill("SIGKILL");
  await once(child, "close");
  expect(runningAgent(netns)).toBeUndefined();

  const second = await AgentLock.acquire(netns);
  expect(second.inherited).toEqual([MADE]);
  // It could not start: the note is the next one's.
  second.abandon();
  const third = await AgentLock.acquire(netns);
  expect(third.inherited).toEqual([MADE]);
  third.release();
  const fourth = await AgentLock.acquire(netns);
  expect(fourth.inherited).toEqual([]);
  fourth.release();
});
