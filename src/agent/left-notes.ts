// Removes what agents that were killed have left written down of network namespaces.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type AgentRole, RUN_DIRECTORY, unlessAgent } from "../meter/index.ts";

/** As the agent's lock and its trace ledger name them; "new": one that was not wholly written. */
const NOTE = /^(agent|trace)-(\d+)\.json(\.new)?$/;

/**
 * Removes the notes of every network namespace, or of those with these inodes: also of such as are gone,
 * which no agent will ever look after again. Where an agent runs they stay.
 */
export function removeLeftNotes(netnsInodes?: readonly number[]): void {
  for (const name of noteNames()) {
    const [, role, digits] = NOTE.exec(name)!;
    const inode = Number(digits);
    if (netnsInodes !== undefined && !netnsInodes.includes(inode)) continue;
    unlessAgent(inode, role as AgentRole, () => rmSync(join(RUN_DIRECTORY, name), { force: true }));
  }
}

function noteNames(): string[] {
  try {
    return readdirSync(RUN_DIRECTORY).filter((name) => NOTE.test(name));
  } catch {
    // Nobody has ever run here.
    return [];
  }
}
