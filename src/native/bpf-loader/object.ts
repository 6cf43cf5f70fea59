// BPF object files: opened, adjusted, loaded into the kernel.

import { IoamctlError } from "../../errors.ts";
import { addon, type RawObject } from "./addon.ts";
import type { StructLayout } from "./btf.ts";
import { attempt, errnoName, failure, type Meaning, nativeLog } from "./failure.ts";
import { BpfMap } from "./map.ts";
import { BpfProgram } from "./program.ts";
import { summarize } from "./verifier-log.ts";

export class BpfObject {
  readonly #file: string;
  #raw: RawObject | undefined;
  #loaded = false;
  readonly #initial: Map<string, ArrayBuffer> = new Map();
  readonly #maps: Map<string, BpfMap> = new Map();
  readonly #programs: Map<string, BpfProgram> = new Map();

  /** @internal */
  constructor(file: string, raw: RawObject) {
    this.#file = file;
    this.#raw = raw;
  }

  /** The initial value of .rodata: what is written to it before load() is what programs see. */
  rodata(): ArrayBuffer {
    return this.initialValue(".rodata");
  }

  /** The same for any section of variables: ".rodata", ".data", ".bss". */
  initialValue(section: string): ArrayBuffer {
    let value = this.#initial.get(section);
    if (value === undefined) {
      value = this.#map(section, (raw) => raw.initialValue(section));
      this.#initial.set(section, value);
    }
    return value;
  }

  /** Sets how many elements a map has; before load(). */
  setMaxEntries(map: string, entries: number): void {
    checkEntries(entries);
    this.#map(map, (raw) => raw.setMaxEntries(map, entries));
  }

  /** Sets how many elements the maps in a map-in-map must have; once, before load(). */
  setInnerMaxEntries(map: string, entries: number): void {
    checkEntries(entries);
    this.#map(map, (raw) => raw.setInnerMaxEntries(map, entries), {
      EINVAL: ["MAP_MISMATCH", "it is no map-in-map with a template, or its template was set"],
    });
  }

  /**
   * Uses a map that exists already, whatever its number of elements; before load(). MAP_MISMATCH
   * when type, key size or value size differ.
   */
  reuseMap(map: string, existing: BpfMap): void {
    this.#map(map, (raw) => raw.reuseMap(map, existing.fd), {
      EINVAL: ["MAP_MISMATCH", `map ${existing.name} (id ${existing.id}) is of another kind`],
    });
  }

  /** Leaves a program out of load(). */
  disableProgram(name: string): void {
    this.#program(name, (raw) => raw.disableProgram(name));
  }

  /** Names of all maps and programs of the file. */
  names(): { maps: string[]; programs: string[] } {
    return this.#open().names();
  }

  /** The layout of a struct in the object's BTF, see btfLayout(). */
  layout(name: string): StructLayout {
    return attempt(
      `cannot read the layout of ${name} in ${this.#file}`,
      "BPF_FAILED",
      () => this.#open().layout(name),
      {
        ENOENT: ["NO_SUCH_STRUCT", "its BTF has none of that name"],
        ENODATA: ["NO_BTF", "it has no BTF; compile with -g"],
      },
    );
  }

  /**
   * Makes the maps and loads the programs; the initial values given become the programs'. After a
   * failure the object is closed and nothing of it is left.
   *
   * BPF_PERMISSION; NO_MEMORY; BPF_LOAD, with the verifier's log as `detail`.
   */
  load(): void {
    const raw = this.#open();
    try {
      for (const [section, value] of this.#initial) {
        raw.setInitialValue(section, new Uint8Array(value));
      }
      raw.load();
      this.#loaded = true;
    } catch (error) {
      this.close();
      throw this.#loadFailure(error);
    }
  }

  /** A map after load(), the same object each time; it outlives the BpfObject. */
  map(name: string): BpfMap {
    let map = this.#maps.get(name);
    if (map === undefined || map.closed) {
      map = new BpfMap(this.#map(name, (raw) => raw.map(name)));
      this.#maps.set(name, map);
    }
    return map;
  }

  /** A program after load(), the same object each time; it outlives the BpfObject. */
  program(name: string): BpfProgram {
    let program = this.#programs.get(name);
    if (program === undefined || program.closed) {
      program = new BpfProgram(this.#program(name, (raw) => raw.program(name)));
      this.#programs.set(name, program);
    }
    return program;
  }

  /** Lets go of the file and of what was loaded, save what is pinned, attached or handed out. */
  close(): void {
    this.#raw?.close();
    this.#raw = undefined;
    this.#initial.clear();
    this.#maps.clear();
    this.#programs.clear();
  }

  #open(): RawObject {
    if (this.#raw === undefined) {
      throw new IoamctlError("CLOSED", `BPF object ${this.#file} was closed`);
    }
    return this.#raw;
  }

  #map<T>(
    name: string,
    action: (raw: RawObject) => T,
    meanings?: Readonly<Record<string, Meaning>>,
  ): T {
    return this.#part("map", name, "NO_SUCH_MAP", action, meanings);
  }

  #program<T>(name: string, action: (raw: RawObject) => T): T {
    return this.#part("program", name, "NO_SUCH_PROGRAM", action);
  }

  #part<T>(
    kind: string,
    name: string,
    missing: string,
    action: (raw: RawObject) => T,
    meanings?: Readonly<Record<string, Meaning>>,
  ): T {
    const raw = this.#open();
    return attempt(`${kind} ${name} of ${this.#file}`, "BPF_FAILED", () => action(raw), {
      ENOENT: [missing, "the file has none of that name"],
      ENODATA: ["NOT_LOADED", this.#loaded ? "it was left out of load()" : "not loaded yet"],
      EBUSY: ["ALREADY_LOADED", "it is loaded already"],
      ...meanings,
    });
  }

  #loadFailure(error: unknown): unknown {
    const what = `cannot load ${this.#file}`;
    if (errnoName(error) === undefined) {
      return error;
    }
    const summary = summarize(nativeLog(error));
    const meanings: Record<string, Meaning> = {
      ENOMEM: ["NO_MEMORY", "not enough memory for its maps; make them smaller"],
    };
    /* Before Linux 5.11 map memory counts against RLIMIT_MEMLOCK, and EPERM may say so. */
    const name = errnoName(error) ?? "";
    if (name !== "EPERM" && meanings[name] === undefined && summary !== "") {
      meanings[name] = ["BPF_LOAD", summary];
    }
    return failure(what, "BPF_LOAD", error, meanings);
  }
}

function checkEntries(entries: number): void {
  if (!Number.isInteger(entries) || entries < 1 || entries > 2 ** 32 - 1) {
    throw new RangeError(`a map of ${entries} elements: not an integer from 1 to 4294967295`);
  }
}

/** Opens a compiled BPF object; NO_SUCH_FILE, BAD_OBJECT. Needs no privileges until load(). */
export function openObject(file: string): BpfObject {
  const { Object: RawObjectClass } = addon();
  const raw = attempt(
    `cannot open BPF object ${file}`,
    "BAD_OBJECT",
    () => new RawObjectClass(file),
    {
      ENOENT: ["NO_SUCH_FILE", "there is no such file"],
      EACCES: ["NO_SUCH_FILE", "not readable"],
    },
  );
  return new BpfObject(file, raw);
}
