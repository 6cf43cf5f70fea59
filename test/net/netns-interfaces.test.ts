// The interfaces of network namespaces, as options records name them.
import { expect, it } from "vitest";
import { netnsInterfaces } from "../../src/agent/options/netns-interfaces.ts";
import { createNetns, type Netns } from "../lab/netns.ts";

/** Numbers and names as `ip` has them. */
async function links(netns: Netns): Promise<{ index: number; name: string }[]> {
  const all = await netns.ipJson<{ ifindex: number; ifname: string }[]>("link", "show");
  return all.map(({ ifindex, ifname }) => ({ index: ifindex, name: ifname }));
}

it("all of several network namespaces, up or down; none of one that is not there", async () => {
  await using one = await createNetns("one");
  await using two = await createNetns("two");
  await one.ip("link add veth7 index 77 type veth peer veth7-peer", "link set veth7 alias secret");
  await two.ip("link add fifteen-octets0 type veth peer eth0.100");
  const expected = [...(await links(one)), ...(await links(two))];
  expect(expected).toContainEqual({ index: 77, name: "veth7" });

  const found = netnsInterfaces([one.name, two.name, one.name, `${two.name}-gone`]);
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  expect(found.sort(byName)).toEqual(expected.sort(byName));
});

it("the agent's own with their descriptions", async () => {
  await using netns = await createNetns("own");
  await netns.ip(
    "link add veth8 index 88 type veth peer veth9 index 99",
    "link set veth8 alias 'über den Fluß'",
  );
  const script = new URL("../../src/agent/options/netns-interfaces.ts", import.meta.url).href;
  const code = `import { netnsInterfaces } from ${JSON.stringify(script)};
    console.log(JSON.stringify(netnsInterfaces([undefined])));`;
  const args = ["--import", "tsx", "--input-type=module", "-e", code];
  const { stdout } = await netns.run("node", args);
  const found = JSON.parse(stdout) as unknown[];
  expect(found).toContainEqual({ index: 88, name: "veth8", description: "über den Fluß" });
  expect(found).toContainEqual({ index: 99, name: "veth9" });
  expect(found).toHaveLength((await links(netns)).length);
});
