// The file that is being written: locked, repaired when a former run left it, finished by its name.
import { constants, copyFile, type FileHandle, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { IoamctlError } from "../../../errors.ts";
import type { FinishedFiles } from "./finished-files.ts";
import { flock } from "./flock.ts";
import { wholeMessages } from "./whole-messages.ts";

/** Octets that have to find room before a file is begun: enough for templates and the first data. */
const ROOM = new Uint8Array(65_536);

/** Octets that were written, and why not all. */
export interface Written {
  readonly octets: number;
  readonly failure?: unknown;
}

/** An open PATH.part of whole messages, which no other process writes. */
export class PartFile {
  /** Octets of the whole messages written. */
  octets = 0;
  readonly #finished: FinishedFiles;
  readonly #part: string;
  readonly #handle: FileHandle;
  #synced = 0;
  /** Unix second. */
  #begun = Math.floor(Date.now() / 1000);

  private constructor(finished: FinishedFiles, handle: FileHandle) {
    this.#finished = finished;
    this.#part = partName(finished.path);
    this.#handle = handle;
  }

  /**
   * Opens an empty one; what is left of a former run is finished before. Throws FILE_LOCKED when
   * another writes it, LOCK_FAILED, and what Node throws.
   */
  static async open(finished: FinishedFiles): Promise<PartFile> {
    for (;;) {
      const file = new PartFile(finished, await openLocked(partName(finished.path)));
      try {
        if (await file.#begin()) return file;
      } catch (error) {
        await file.#handle.close();
        throw error;
      }
      await file.#handle.close();
    }
  }

  /** Appends what lies in `length` octets of `buffer`; the caller says how much of it counts. */
  async write(buffer: Uint8Array, offset: number, length: number): Promise<Written> {
    return writeAll(this.#handle, buffer, offset, length, this.octets);
  }

  /** Removes what is behind the whole messages. */
  trim(): Promise<void> {
    return this.#handle.truncate(this.octets);
  }

  /** Waits until what was written is on the disk. Throws FILE_REMOVED. */
  async sync(): Promise<void> {
    const { octets } = this;
    // Even with nothing to write, it may wake a disk.
    if (octets !== this.#synced) await this.#handle.datasync();
    this.#synced = octets;
    if (!(await this.isInPlace())) throw this.#removed();
  }

  /** Whether the file still has its name. */
  async isInPlace(): Promise<boolean> {
    try {
      const [named, opened] = await Promise.all([
        stat(this.#part, { bigint: true }),
        this.#handle.stat({ bigint: true }),
      ]);
      return named.ino === opened.ino && named.dev === opened.dev;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      throw error;
    }
  }

  /** Brings the whole messages to the disk and gives the file its final name; without any, removes it. */
  async finish(): Promise<void> {
    try {
      await this.#finish();
    } finally {
      await this.#handle.close();
    }
  }

  /** False when it was not empty, and is finished now, or when its writer has just finished it. */
  async #begin(): Promise<boolean> {
    if (!(await this.isInPlace())) return false;
    if ((await this.#handle.stat()).size > 0) {
      await this.#recover();
      return false;
    }
    const { failure } = await writeAll(this.#handle, ROOM, 0, ROOM.length, 0);
    await this.#handle.truncate(0);
    if (failure !== undefined) {
      await unlink(this.#part);
      throw failure;
    }
    await syncFolder(this.#part);
    return true;
  }

  async #recover(): Promise<void> {
    const { octets, begun, damaged } = await wholeMessages(this.#handle);
    this.octets = octets;
    this.#begun = begun ?? Math.floor((await this.#handle.stat()).mtimeMs / 1000);
    if (damaged) {
      // Not what a crash leaves: nothing of it is thrown away.
      const name = await this.#finished.nextName(this.#begun);
      await copyFile(
        this.#part,
        `${name}.damaged`,
        constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
      );
    }
    await this.#finish();
  }

  async #finish(): Promise<void> {
    if (!(await this.isInPlace())) throw this.#removed();
    if (this.octets === 0) {
      await unlink(this.#part);
    } else {
      await this.trim();
      await this.#handle.sync();
      await rename(this.#part, await this.#finished.nextName(this.#begun));
    }
    await syncFolder(this.#part);
  }

  #removed(): IoamctlError {
    return new IoamctlError(
      "FILE_REMOVED",
      `${this.#part} was removed or replaced while it was being written: what it had is lost; another is begun`,
    );
  }
}

/** Name of the file that is being written. */
function partName(path: string): string {
  return `${path}.part`;
}

async function openLocked(part: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
  try {
    if (!(await handle.stat()).isFile()) {
      throw new IoamctlError("EEXIST", `${part} is no file: move it away, it is in the way`);
    }
    if (!(await flock(handle.fd))) {
      throw new IoamctlError(
        "FILE_LOCKED",
        `${part} is being written by another process or output: give each a path of its own`,
      );
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeAll(
  handle: FileHandle,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<Written> {
  let octets = 0;
  try {
    while (octets < length) {
      const at = position + octets;
      octets += (await handle.write(buffer, offset + octets, length - octets, at)).bytesWritten;
    }
    return { octets };
  } catch (failure) {
    return { octets, failure };
  }
}

/** So that names in it survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } catch (error) {
    // Some file systems (CIFS, FAT) cannot, and need not be asked to.
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    await folder.close();
  }
}
