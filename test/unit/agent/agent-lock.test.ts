// One agent a network namespace: the lock, its state, and what a killed agent leaves to the next.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { AgentLock, runningAgent } from "../../../src/agent/metering/agent-lock.ts";
import { type AgentRole, type Attachment, agentPid, lockAgent } from "../../../src/meter/index.ts";
import { guarded, released } from "../../lab/guard.ts";

// Numbers that no network namespace of a running kernel has.
const FIRST = 0xf0_0000_0000 + process.pid * 16;
let next = FIRST;
const inode = () => next++;
afterAll(() => {
  for (let used = FIRST; used < next; used++) {
    for (const name of [`agent-${used}.lock`, `agent-${used}.json`, `trace-${used}.lock`])
      rmSync(`/run/ioamctl/${name}`, { force: true });
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
  const lock = AgentLock.acquire(netns);
  expect(runningAgent(netns)).toEqual({ pid: process.pid, state: "starting" });
  lock.write("running", []);
  expect(runningAgent(netns)).toEqual({ pid: process.pid, state: "running" });
  expect(() => AgentLock.acquire(netns)).toThrow(new RegExp(`pid ${process.pid}`));
  lock.write("stopping", []);
  expect(runningAgent(netns)).toEqual({ pid: process.pid, state: "stopping" });
  lock.release();
  expect(runningAgent(netns)).toBeUndefined();
  AgentLock.acquire(netns).release();
});

/** A process that does nothing but look, and has begun to. */
async function looker(netns: number, role: AgentRole): Promise<void> {
  const module = new URL("../../../src/meter/index.ts", import.meta.url).href;
  const source = `
    import { agentPid } from ${JSON.stringify(module)};
    console.log("looking");
    for (;;) agentPid(${netns}, "${role}");`;
  const child = spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid } = child;
  guarded("pid", pid!);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await once(child, "close");
    released("pid", pid!);
  });
  await once(child.stdout, "data");
}

it.each(["agent", "trace"] as const)(
  "is not lost to those who only look, nor do they see each other: %s",
  async (role) => {
    const netns = inode();
    lockAgent(netns, role).release();
    await Promise.all([looker(netns, role), looker(netns, role)]);
    for (let i = 0; i < 2000; i++) {
      lockAgent(netns, role).release();
      // The file has the pid of one that runs no more.
      expect(agentPid(netns, role)).toBeUndefined();
    }
  },
);

it("goes with its process, and leaves a note of what is to be undone", async () => {
  const netns = inode();
  const module = new URL("../../../src/agent/metering/agent-lock.ts", import.meta.url).href;
  const source = `
    import { AgentLock } from ${JSON.stringify(module)};
    const lock = AgentLock.acquire(${netns});
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

  const second = AgentLock.acquire(netns);
  expect(second.inherited).toEqual([MADE]);
  // It could not start: the note is the next one's.
  second.abandon();
  const third = AgentLock.acquire(netns);
  expect(third.inherited).toEqual([MADE]);
  third.release();
  const fourth = AgentLock.acquire(netns);
  expect(fourth.inherited).toEqual([]);
  fourth.release();
});
