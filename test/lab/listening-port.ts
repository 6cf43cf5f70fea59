// On which port a process listens, for programs that let the kernel choose it and do not say.
import { readdir, readFile, readlink } from "node:fs/promises";
import { eventually } from "./eventually.ts";
import type { Background } from "./process.ts";

/** What /proc/net/tcp and /proc/net/udp call a socket that waits for anybody. */
const WAITING = { tcp: "0A", udp: "07" } as const;

/** Waits until the process listens and gives the port; fails when it ends before. */
export async function listeningPort(process: Background, protocol: "tcp" | "udp"): Promise<number> {
  const { pid } = process;
  return eventually(`a ${protocol} port of ${process.command}`, async () => {
    if (!process.running) throw new Error(`${process.command}: ended: ${process.log}`);
    const sockets = await socketsOf(pid);
    for (const table of [protocol, `${protocol}6`]) {
      const lines = (await readFile(`/proc/${pid}/net/${table}`, "utf8")).split("\n").slice(1);
      for (const line of lines) {
        const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state !== WAITING[protocol] || !sockets.has(`socket:[${inode}]`)) continue;
        return Number.parseInt(local!.split(":")[1]!, 16);
      }
    }
    return undefined;
  });
}

async function socketsOf(pid: number): Promise<Set<string>> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder);
  const links = names.map((name) => readlink(`${folder}/${name}`).catch(() => ""));
  return new Set(await Promise.all(links));
}
