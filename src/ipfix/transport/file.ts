// IPFIX files (RFC 5655), one after another.
import { accessSync, constants, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Destination } from "./destination.ts";
import { checkInteger, checkRetry, checkTime, unusable } from "./destination-options.ts";
import { fileError } from "./file/file-error.ts";
import { type FileRules, FileSession } from "./file/file-session.ts";
import { FinishedFiles } from "./file/finished-files.ts";
import { PartFile } from "./file/part-file.ts";
import type { Transport } from "./transport.ts";
import { untilAborted } from "./until-aborted.ts";

/** Where and how files are written. */
export interface FileOptions {
  /**
   * Where finished files appear, "flows.ipfix" as "flows-20261121T004500Z.ipfix" with the UTC time
   * when it was begun; the one being written is "flows.ipfix.part".
   */
  path: string;
  /** Milliseconds after which a file is finished and the next begun; default: 3 600 000, an hour. */
  rotate?: number;
  /** Octets that a file has at most, from 1 048 576 on; default: no limit. */
  maxOctets?: number;
  /** Milliseconds after which what was written is brought to the disk; default: 5000. */
  sync?: number;
  /** How many finished files are kept, the newest; default: all. */
  keep?: number;
  /** Default: 1000 at first, 60 000 at most. */
  retry?: Destination["retry"];
}

/** Templates and options find room in that, and then data: else there would be files without end. */
const LEAST_OCTETS = 1_048_576;

/** Octets that a name may have, less those that the time adds ("-20261121T004500Z002.damaged"). */
const LONGEST_NAME = 255 - 28;

/**
 * Files, each of which is a transport session: one is finished when its time or size is over, and the
 * next session begins another. Throws DESTINATION_INVALID, and with the errno's name as code when
 * files cannot be written there. `connect` rejects with such a code too, with FILE_LOCKED when another
 * writes that path, LOCK_FAILED when that cannot be found out.
 */
export function fileDestination(options: FileOptions): Destination {
  const { rotate = 3_600_000, maxOctets = Number.MAX_SAFE_INTEGER, sync = 5000 } = options;
  const { keep = Number.MAX_SAFE_INTEGER, retry = { first: 1000, most: 60_000 } } = options;
  checkTime("rotate", rotate);
  checkTime("sync", sync);
  checkInteger("maxOctets", maxOctets, LEAST_OCTETS, Number.MAX_SAFE_INTEGER);
  checkInteger("keep", keep, 1, Number.MAX_SAFE_INTEGER);
  checkRetry(retry);
  const path = checkPath(options.path);
  const finished = new FinishedFiles(path, keep);
  const rules: FileRules = { finished, rotate, maxOctets, sync };

  const open = async (): Promise<Transport> => {
    try {
      return new FileSession(await PartFile.open(finished), rules);
    } catch (error) {
      throw fileError(error, path);
    }
  };
  return {
    name: `file ${path}`,
    retry,
    connect(signal) {
      return untilAborted(open(), signal, (late) => late.close());
    },
  };
}

function checkPath(given: string): string {
  if (typeof given !== "string" || given === "" || given.endsWith("/") || given.includes("\0")) {
    throw unusable(`path is ${JSON.stringify(given)}: give the name of a file`);
  }
  const path = resolve(given);
  if (Buffer.byteLength(basename(path)) > LONGEST_NAME) {
    throw unusable(
      `path: ${basename(path)} has no room for the time in its name: give at most ${LONGEST_NAME} octets`,
    );
  }
  const folder = dirname(path);
  let wrong: unknown;
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) wrong = { code: "EISDIR" };
    else if (!statSync(folder).isDirectory()) wrong = { code: "ENOTDIR" };
    else accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    wrong = error;
  }
  if (wrong !== undefined) throw fileError(wrong, path);
  return path;
}
