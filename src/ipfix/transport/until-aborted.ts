// What cannot be broken off (name resolution, a file system that hangs) is left to itself.

/**
 * What the promise gives, or the signal's reason as soon as that is aborted. `discard` is given what
 * comes too late.
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  discard: (late: T) => unknown,
): Promise<T> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
  try {
    return await Promise.race([aborted, promise]);
  } catch (error) {
    // A failure has nothing to discard, and is told already unless it comes too late.
    if (signal.aborted) promise.then(discard).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
