// Standard output: in large pieces, at the reader's speed, quiet when the reader has gone.

import { IoamctlError } from "../errors.ts";

const CHUNK = 65_536;

/**
 * Writes lines to standard output, as fast as it takes them. Resolves to false when the reader has
 * closed the pipe (`ioamctl dump | head`): then there is nobody to go on for. Rejects, with the errno's
 * name as code, when writing failed for another reason, such as a full disk.
 */
export async function print(lines: Iterable<string>): Promise<boolean> {
  let chunk = "";
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length >= CHUNK) {
      if (!(await write(chunk))) return false;
      chunk = "";
    }
  }
  return chunk === "" || (await write(chunk));
}

/** Writes text to standard output: see `print`. */
export function write(text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve(true);
      else if (isClosedPipe(error)) resolve(false);
      else reject(cannotWrite(error));
    });
  });
}

/** Whether all that was written has gone out, or goes out within so many milliseconds. */
export async function isWritten(patience: number): Promise<boolean> {
  if (process.stdout.writableLength === 0) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patience);
  });
  // Behind everything else that waits.
  const written = write("").then(
    () => true,
    () => true,
  );
  const result = await Promise.race([written, late]);
  clearTimeout(timer);
  return result;
}

/**
 * Keeps a reader that went away from ending the process with a stack trace. To be called once, before
 * anything is written; failures reach whoever wrote by the callback of the write.
 */
export function surviveClosedPipes(): void {
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}

/** Whether colours and screen control make sense on standard output (https://no-color.org). */
export function isTerminal(): boolean {
  return process.stdout.isTTY === true;
}

function cannotWrite(error: Error): IoamctlError {
  const { code = "EIO", message } = error as NodeJS.ErrnoException;
  return new IoamctlError(code, `cannot write to standard output: ${message}`);
}

function isClosedPipe(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EPIPE" || code === "ERR_STREAM_DESTROYED";
}
