// One file as a transport session (RFC 5655 section 7.2).
import { IoamctlError } from "../../../errors.ts";
import type { Transport } from "../transport.ts";
import { fileError } from "./file-error.ts";
import type { FinishedFiles } from "./finished-files.ts";
import type { PartFile } from "./part-file.ts";

/** Octets of the longest message. */
const LONGEST_MESSAGE = 65_535;

/** How files are written. Times in milliseconds. */
export interface FileRules {
  readonly finished: FinishedFiles;
  readonly rotate: number;
  readonly maxOctets: number;
  readonly sync: number;
}

/** Writes messages to a file until its time or its size is over, or it cannot be written. */
export class FileSession implements Transport {
  readonly headerLength = 0;
  readonly reliable = true;
  readonly ended: Promise<IoamctlError | undefined>;
  readonly #rules: FileRules;
  readonly #file: PartFile;
  readonly #rotation: NodeJS.Timeout;
  readonly #syncTimer: NodeJS.Timeout;
  #settle: (reason: IoamctlError | undefined) => void = () => {};
  #tail: Promise<unknown> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  /** What `send` says when there is no more to write. */
  #over: IoamctlError | undefined;

  constructor(file: PartFile, rules: FileRules) {
    this.#file = file;
    this.#rules = rules;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#rotation = setTimeout(() => void this.#inTurn(() => this.#end()), rules.rotate).unref();
    this.#syncTimer = setInterval(() => this.#sync(), rules.sync).unref();
  }

  get #path(): string {
    return this.#rules.finished.path;
  }

  pathMtu(): number {
    return LONGEST_MESSAGE;
  }

  send(buffer: Uint8Array, offset: number, length: number, messageLength: number): Promise<number> {
    return this.#inTurn(() => this.#send(buffer, offset, length, messageLength));
  }

  async writable(): Promise<void> {}

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#over !== undefined) return;
      this.#over = new IoamctlError("SESSION_CLOSED", `${this.#path}: the session is closed`);
      const failure = await this.#finish();
      if (failure !== undefined) this.#settle(failure);
    });
  }

  /** One after another: the file ends between two calls of `send`, not within one. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }

  async #send(
    buffer: Uint8Array,
    offset: number,
    length: number,
    messageLength: number,
  ): Promise<number> {
    if (this.#over !== undefined) throw this.#over;
    const room = this.#rules.maxOctets - this.#file.octets;
    const fitting = length <= room ? length : wholeOctets(room, messageLength);
    if (fitting === 0) throw await this.#end();
    const { octets, failure } = await this.#file.write(buffer, offset, fitting);
    const taken = octets === length ? length : wholeOctets(octets, messageLength);
    this.#file.octets += taken;
    // Should this fail, it is tried again at the end.
    if (octets > taken) await this.#file.trim().catch(() => {});
    if (failure !== undefined && taken === 0) {
      throw await this.#end(fileError(failure, this.#path));
    }
    return taken;
  }

  #sync(): void {
    if (this.#syncing !== undefined) return;
    this.#syncing = this.#file
      .sync()
      .catch((error) => {
        void this.#inTurn(() => this.#end(fileError(error, this.#path)));
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  /** Ends the session, in order unless there is a reason; gives what `send` is to say. */
  async #end(reason?: IoamctlError): Promise<IoamctlError> {
    if (this.#over === undefined) {
      this.#over =
        reason ??
        new IoamctlError("SESSION_ENDED", `${this.#path}: this file is full, or its time over`);
      const failure = await this.#finish();
      this.#settle(reason ?? failure);
    }
    return this.#over;
  }

  /** Gives what went wrong: then the next session finds the file and finishes it. */
  async #finish(): Promise<IoamctlError | undefined> {
    clearTimeout(this.#rotation);
    clearInterval(this.#syncTimer);
    await this.#syncing;
    try {
      await this.#file.finish();
    } catch (error) {
      return fileError(error, this.#path);
    }
    // What cannot be removed now is tried again with the next file.
    await this.#rules.finished.prune().catch(() => {});
    return undefined;
  }
}

/** Octets of the whole messages among the first `octets`, each `messageLength` octets long. */
function wholeOctets(octets: number, messageLength: number): number {
  return octets - (octets % messageLength);
}
