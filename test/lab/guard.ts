// Has a process of its own clean up should this one be killed before it could.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What can be left behind: a process by its id, a namespace by its name, folder and mount by their path. */
export type Kind = "pid" | "netns" | "folder" | "mount";

let guard: ChildProcess | undefined;

function tell(line: string): void {
  if (guard === undefined) {
    const script = fileURLToPath(new URL("guard.py", import.meta.url));
    // Detached: Ctrl-C at the terminal is not for it. It ends when this process does.
    guard = spawn("python3", [script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    guard.unref();
    (guard.stdin as unknown as { unref(): void }).unref();
  }
  guard.stdin!.write(`${line}\n`);
}

/** From now on, this is removed when the process ends. */
export function guarded(kind: Kind, name: string | number): void {
  tell(`+${kind} ${name}`);
}

/** It is gone, or somebody else's business. */
export function released(kind: Kind, name: string | number): void {
  tell(`-${kind} ${name}`);
}

export interface Folder {
  path: string;
  remove(): Promise<void>;
}

/** A folder of its own for temporary files, named after what it is for. */
export async function temporaryFolder(name: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), `ioamt-${name}-`));
  guarded("folder", path);
  const remove = async () => {
    await rm(path, { recursive: true, force: true });
    released("folder", path);
  };
  return { path, remove };
}
