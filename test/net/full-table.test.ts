// What the commands say of a table that fills: on standard error, with what to do.
import { expect, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { createNetns, netnsPrefix } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import { station } from "../lab/station.ts";
import { PrivateHost } from "./private-host.ts";

test("status and dump say when a table is filling and when it is full", async () => {
  const prefix = netnsPrefix();
  await using near = await createNetns("near", prefix);
  await using far = await createNetns("far", prefix);
  await using host = await PrivateHost.start();
  await near.ip(`link add near0 type veth peer name far0 netns ${far.name}`, "link set near0 up");
  await far.ip("link set far0 up");
  const sender = station(far);
  const netns = ["--netns", near.name];
  await host.print("attach", "-n", "near0", ...netns, "--max-flows", "8");

  /** Sends a packet of each of these flows and waits until they are counted. */
  async function send(...flows: number[]): Promise<void> {
    await sender.send("far0", ...flows.map((flowId) => packetOctets(dexPacket({ flowId }))));
    await eventually("all arrived", async () => {
      const { stdout } = await host.ioamctl(["status", "--json"]);
      const { counters } = JSON.parse(stdout) as { counters: Record<string, number> };
      return counters.dexPackets! - 1 === flows.at(-1);
    });
  }

  /** What a command has to say beside its document. */
  async function hint(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await host.ioamctl([...command, "--json"]);
    expect(code).toBe(0);
    JSON.parse(stdout);
    return stderr;
  }

  await send(0, 1, 2, 3, 4);
  expect(await hint("status")).toBe("");
  await send(5);
  const where = `the flow table of netns ${near.name}`;
  const remedy =
    `export it with \`ioamctl agent\`, empty it with \`ioamctl flush --all --netns ${near.name}\`, ` +
    "or attach anew with a larger --max-flows\n";
  const filling = `${where} is filling: 6 of 8 records are used: ${remedy}`;
  expect(await hint("status")).toBe(`ioamctl status: ${filling}`);
  expect(await hint("dump", ...netns)).toBe(`ioamctl dump: ${filling}`);

  await send(6, 7, 8);
  const full = `${where} is full (8 records): new flows are not metered, tableFull counts their packets: ${remedy}`;
  expect(await hint("status")).toBe(`ioamctl status: ${full}`);
  expect(await hint("dump", ...netns)).toBe(`ioamctl dump: ${full}`);
  const { stdout, stderr } = await host.ioamctl(["status"]);
  expect(stdout).toContain(`\n${full}`);
  expect(stdout).toMatch(/^tableFull +1$/m);
  expect(stderr).toBe("");

  expect(await host.json("flush", "--all", ...netns)).toMatchObject({ flows: 8, packets: 8 });
  expect(await hint("status")).toBe("");
  await host.print("detach", "--all", ...netns);
  await host.clean(near, far);
});
