// What maps, programs, links and namespaces have in common: a descriptor to close.

import { IoamctlError } from "../../errors.ts";
import type { Fd } from "./addon.ts";

/** Holds one descriptor. Left unclosed it is closed when collected. */
export class Handle {
  readonly #fd: Fd;
  readonly #what: string;

  constructor(fd: Fd, what: string) {
    this.#fd = fd;
    this.#what = what;
  }

  /** The descriptor, for system calls while this object lives; throws CLOSED after close(). */
  get fd(): number {
    const fd = this.#fd.number;
    if (fd < 0) {
      throw new IoamctlError("CLOSED", `${this.#what} was closed`);
    }
    return fd;
  }

  get closed(): boolean {
    return this.#fd.number < 0;
  }

  /** Closes the descriptor; again is harmless. What is pinned or attached stays. */
  close(): void {
    this.#fd.close();
  }
}
