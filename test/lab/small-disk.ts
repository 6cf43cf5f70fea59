// A file system of its own that is soon full, or read-only.
import { guarded, released, temporaryFolder } from "./guard.ts";
import { run } from "./process.ts";

/** A tmpfs; `await disk.close()` or `await using`. */
export class SmallDisk {
  readonly path: string;
  readonly #remove: () => Promise<void>;

  private constructor(path: string, remove: () => Promise<void>) {
    this.path = path;
    this.#remove = remove;
  }

  /** Mounts one of that many octets. */
  static async mount(octets: number): Promise<SmallDisk> {
    const folder = await temporaryFolder("disk");
    guarded("mount", folder.path);
    const disk = new SmallDisk(folder.path, () => folder.remove());
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${octets}`, "ioamt-disk", folder.path]);
    } catch (error) {
      released("mount", folder.path);
      await folder.remove();
      throw error;
    }
    return disk;
  }

  /** Makes it read-only, or writable again; nobody may write at that time. */
  async readOnly(on: boolean): Promise<void> {
    await run("mount", ["-o", `remount,${on ? "ro" : "rw"}`, this.path]);
  }

  async close(): Promise<void> {
    await run("umount", [this.path]);
    released("mount", this.path);
    await this.#remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
