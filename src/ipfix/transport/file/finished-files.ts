// Names of finished files, and which of them are kept.
import { readdir, unlink } from "node:fs/promises";
import { join, parse } from "node:path";

/** A name in the folder: the second in it, and which file of that second it is, from 1 on. */
interface Named {
  readonly file: string;
  readonly time: string;
  readonly ordinal: number;
}

/** The finished files of a path: "flows-20261121T004500Z.ipfix" of "flows.ipfix". */
export class FinishedFiles {
  readonly path: string;
  readonly #folder: string;
  readonly #stem: string;
  readonly #extension: string;
  readonly #keep: number;
  #last: Named | undefined;

  /** `keep`: how many to keep. */
  constructor(path: string, keep: number) {
    const { dir, name, ext } = parse(path);
    this.path = path;
    this.#folder = dir;
    this.#stem = `${name}-`;
    this.#extension = ext;
    this.#keep = keep;
  }

  /**
   * A name for the file begun at that Unix second. Of several in one second the later have names that
   * sort behind those of the earlier ("…Z002.ipfix"), and none comes again when its file was moved away.
   */
  async nextName(seconds: number): Promise<string> {
    const time = new Date(1000 * seconds).toISOString().replace(/[-:]|\.\d+/g, "");
    const taken = [...(await this.#list()), ...(this.#last === undefined ? [] : [this.#last])]
      .filter((one) => one.time === time)
      .map(({ ordinal }) => ordinal);
    const ordinal = 1 + Math.max(0, ...taken);
    // Digits come behind the dot of the extension in any collation.
    const suffix = ordinal === 1 ? "" : String(ordinal).padStart(3, "0");
    const file = `${this.#stem}${time}${suffix}${this.#extension}`;
    this.#last = { file, time, ordinal };
    return join(this.#folder, file);
  }

  /** Removes the oldest until so many are left as are to be kept. */
  async prune(): Promise<void> {
    for (const { file } of (await this.#list()).slice(0, -this.#keep)) {
      await unlink(join(this.#folder, file));
    }
  }

  /** The oldest first. */
  async #list(): Promise<Named[]> {
    const named: Named[] = [];
    for (const file of (await readdir(this.#folder)).sort()) {
      if (!file.startsWith(this.#stem) || !file.endsWith(this.#extension)) continue;
      const middle = file.slice(this.#stem.length, file.length - this.#extension.length);
      const match = /^(\d{8}T\d{6}Z)(\d*)$/.exec(middle);
      if (match !== null) named.push({ file, time: match[1]!, ordinal: Number(match[2] || 1) });
    }
    return named;
  }
}
