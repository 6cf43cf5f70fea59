// What of a meter is in the kernel, as bpftool sees it, and whether it is gone.
import { existsSync, readdirSync } from "node:fs";
import { eventually } from "../lab/eventually.ts";
import { run } from "../lab/process.ts";
import { collect } from "../native/loader-object.ts";

export interface KernelParts {
  programs: number[];
  maps: number[];
}

/** Where the meter of a network namespace has its pins. */
export function pinDirectory(netnsInode: number): string {
  return `/sys/fs/bpf/ioamctl/${netnsInode}`;
}

async function bpftool<T>(...args: string[]): Promise<T> {
  return JSON.parse((await run("bpftool", ["-j", ...args])).stdout) as T;
}

/** The ids behind the pins of a meter. */
export async function kernelParts(netnsInode: number): Promise<KernelParts> {
  const directory = pinDirectory(netnsInode);
  const ids = (kind: string, prefix: string): Promise<number[]> =>
    Promise.all(
      readdirSync(directory)
        .filter((name) => name.startsWith(prefix))
        .map(async (name) => {
          const shown = await bpftool<{ id: number }>(
            kind,
            "show",
            "pinned",
            `${directory}/${name}`,
          );
          return shown.id;
        }),
    );
  return { programs: await ids("prog", "program_"), maps: await ids("map", "map_") };
}

/**
 * Waits until the pins are gone, and with them every program and map. The caller must not hold the
 * meter any more: its mapping of the table keeps that alive.
 */
export async function partsGone(netnsInode: number, parts: KernelParts): Promise<void> {
  if (existsSync(pinDirectory(netnsInode))) throw new Error("the pins are still there");
  const left = async (kind: string, ids: number[]): Promise<string[]> => {
    const shown = await bpftool<{ id: number; name?: string }[]>(kind, "show");
    return shown
      .filter(({ id }) => ids.includes(id))
      .map(({ id, name }) => `${kind} ${id} ${name}`);
  };
  let there: string[] = [];
  try {
    await eventually(
      "programs and maps are gone",
      async () => {
        await collect();
        there = [...(await left("prog", parts.programs)), ...(await left("map", parts.maps))];
        return there.length === 0;
      },
      { every: 20, timeout: 10_000 },
    );
  } catch {
    throw new Error(`still there: ${there.join(", ")}`);
  }
}
