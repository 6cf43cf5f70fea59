// A bridge beside the router: it forwards frames with their VLAN tags, for which routing needs VLAN devices.
import { eventually } from "../lab/eventually.ts";
import type { RouterLab } from "../lab/router.ts";

/**
 * source [src1] — [in1] bridge [out1] — [snk1] sink. What src1 sends leaves by out1 as it came, the
 * hop limit too.
 */
export async function addBridge(lab: RouterLab): Promise<void> {
  const { source, router, sink } = lab;
  const up = (device: string): string[] => [
    `link set ${device} multicast off`,
    `link set ${device} up`,
  ];
  await router.ip(
    `link add in1 type veth peer name src1 netns ${source.name}`,
    `link add out1 type veth peer name snk1 netns ${sink.name}`,
    "link add br1 type bridge stp_state 0 mcast_snooping 0",
    "link set in1 master br1",
    "link set out1 master br1",
    ...["in1", "out1", "br1"].flatMap(up),
  );
  await Promise.all([source.ip(...up("src1")), sink.ip(...up("snk1"))]);
  await eventually("both ports of the bridge forward", async () => {
    const ports = await router.ipJson<PortLink[]>("-d", "link", "show", "master", "br1");
    return (
      ports.length === 2 &&
      ports.every(({ linkinfo }) => linkinfo.info_slave_data.state === "forwarding")
    );
  });
}

interface PortLink {
  linkinfo: { info_slave_data: { state: string } };
}
