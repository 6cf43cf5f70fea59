// Notes that agents have left: removed where none runs, and only where it was asked for.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { removeLeftNotes } from "../../../src/agent/left-notes.ts";
import { type AgentRole, agentPid, lockAgent } from "../../../src/meter/index.ts";

// Numbers that no network namespace of a running kernel has, nor another test.
const FIRST = 0xf8_0000_0000 + process.pid * 16;
const [HELD, LEFT, OTHER] = [FIRST, FIRST + 1, FIRST + 2];
const ROLES = ["agent", "trace"] as const;
const KINDS = ["lock", "json", "json.new"];

const path = (role: AgentRole, inode: number, kind: string): string =>
  `/run/ioamctl/${role}-${inode}.${kind}`;

afterEach(() => {
  for (const inode of [HELD, LEFT, OTHER]) {
    for (const role of ROLES) {
      for (const kind of KINDS) rmSync(path(role, inode, kind), { force: true });
    }
  }
});

it.each(ROLES)("those of an agent that runs stay, and its lock: %s", (role) => {
  const locks = [HELD, LEFT, OTHER].map((inode) => lockAgent(inode, role));
  for (const lock of locks.slice(1)) lock.release();
  for (const inode of [HELD, LEFT, OTHER]) {
    for (const kind of KINDS.slice(1)) writeFileSync(path(role, inode, kind), "{}");
  }
  removeLeftNotes([HELD, LEFT]);
  const there = (inode: number): string[] =>
    KINDS.filter((kind) => existsSync(path(role, inode, kind)));
  expect(there(HELD)).toEqual(KINDS);
  expect(there(LEFT)).toEqual(["lock"]);
  expect(there(OTHER)).toEqual(KINDS);
  expect(agentPid(HELD, role)).toBe(process.pid);
  locks[0]!.release();
  removeLeftNotes([HELD]);
  expect(there(HELD)).toEqual(["lock"]);
});
