// Where a meter's maps, programs and links are pinned: one directory a network namespace.

import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { findBpffs, prepareBpffs } from "./bpffs.ts";

const COMPLETE = "complete";

function root(): string {
  return join(findBpffs(), "ioamctl");
}

/** Makes sure that there is a BPF file system to pin in. */
export function preparePinRoot(): void {
  prepareBpffs();
  mkdirSync(root(), { recursive: true, mode: 0o700 });
}

/** The inodes of the network namespaces that have a meter. */
export function pinnedNetns(): number[] {
  if (!existsSync(root())) return [];
  return readdirSync(root())
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The pins of one network namespace's meter. */
export class Pins {
  readonly directory: string;

  constructor(netnsInode: number) {
    this.directory = join(root(), String(netnsInode));
  }

  /** Is there a whole meter? A half-made one (its maker was killed) counts as none. */
  get complete(): boolean {
    return existsSync(this.#path(COMPLETE));
  }

  /** Tells these pins from those of another meter that takes their place; undefined: none. */
  get identity(): number | undefined {
    return statSync(this.#path(COMPLETE), { throwIfNoEntry: false })?.ino;
  }

  create(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  map(name: string): string {
    return this.#path(`map_${name}`);
  }

  program(name: string): string {
    return this.#path(`program_${name}`);
  }

  link(ifindex: number, direction: string): string {
    return this.#path(`link_${ifindex}_${direction}`);
  }

  /** Pinned last: says that all the others are there. */
  get completeMark(): string {
    return this.#path(COMPLETE);
  }

  /** Removes a pin; a TCX link that nothing else holds is detached by it. */
  remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  /**
   * Removes every pin and the directory: the links first, so that no program runs without its pins,
   * then the mark, so that nobody opens a meter of which parts are missing.
   */
  removeAll(): void {
    if (!existsSync(this.directory)) return;
    const rank = (name: string): number =>
      name.startsWith("link_") ? 0 : name === COMPLETE ? 1 : 2;
    const names = readdirSync(this.directory).sort((a, b) => rank(a) - rank(b));
    for (const name of names) this.remove(join(this.directory, name));
    rmdirSync(this.directory);
    try {
      rmdirSync(root());
    } catch {
      // Another network namespace's meter is still there.
    }
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}
