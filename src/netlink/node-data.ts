// What a node is set up to put into IOAM: namespaces and schemas (netlink), ids (system controls).

import { readdirSync } from "node:fs";
import { readIPv6Sysctl, readNodeIds } from "../ioam/index.ts";
import { type NetnsHandle, withNetns } from "../native/bpf-loader/index.ts";
import { type Netlink, type NetlinkFamily, openNetlink } from "../native/node-netlink/index.ts";
import { AttributeWalk, GENERIC_HEADER, LITTLE, messageCommand } from "./attributes.ts";
import { ioamFamily } from "./family.ts";

const DUMP_NAMESPACES = 3;
const DUMP_SCHEMAS = 6;

const NS_ID = 1;
const NS_DATA = 2;
const NS_DATA_WIDE = 3;
const SC_ID = 4;
const SC_DATA = 5;

const UNSET_16 = 0xffff;
const UNSET_32 = 0xffffffff;

/** An IOAM namespace that the node knows; what is not set is absent. */
export interface NamespaceSetting {
  ioamNamespaceId: number;
  ioamNamespaceData?: number;
  ioamNamespaceDataWide?: bigint;
  /** The schema whose data go into its opaque state snapshots. */
  ioamSnapshotSchemaId?: number;
}

/** A schema of opaque state snapshots. */
export interface SchemaSetting {
  ioamSnapshotSchemaId: number;
  ioamSnapshotData: Uint8Array;
}

/** An interface with IOAM switched on, or ids of its own; ids that are not set are absent. */
export interface InterfaceSetting {
  interfaceName: string;
  enabled: boolean;
  ioamInterfaceId?: number;
  ioamInterfaceIdWide?: number;
}

/** How a node is set up; ids that are not set are absent. */
export interface NodeSettings {
  ioamNodeId?: number;
  ioamNodeIdWide?: bigint;
  namespaces: NamespaceSetting[];
  schemas: SchemaSetting[];
  interfaces: InterfaceSetting[];
  /**
   * False: there are more namespaces or schemas. The kernel's dump ends at 32 KiB, which are some
   * 900 namespaces, or 31 schemas of the largest size.
   */
  complete: boolean;
}

/**
 * Reads how the node of a network namespace (default: the calling thread's own) is set up, in some
 * hundred microseconds and 20 more an interface. `ip ioam` and sysctl change it. NO_KERNEL_IOAM,
 * NETLINK_PERMISSION (it takes CAP_NET_ADMIN in that netns), NATIVE_MISSING, LIBMNL_MISSING.
 */
export function readNodeSettings(netns?: NetnsHandle): NodeSettings {
  const netlink = openNetlink({ netns });
  try {
    const family = ioamFamily(netlink);
    const namespaces = dump(netlink, family, DUMP_NAMESPACES, namespaceOf);
    const schemas = dump(netlink, family, DUMP_SCHEMAS, schemaOf);
    const ids = netns === undefined ? readIds() : withNetns(netns, readIds);
    return {
      ...ids,
      // The kernel's order is that of its hash table, with a seed for each boot and netns.
      namespaces: namespaces.found.sort((a, b) => a.ioamNamespaceId - b.ioamNamespaceId),
      schemas: schemas.found.sort((a, b) => a.ioamSnapshotSchemaId - b.ioamSnapshotSchemaId),
      complete: namespaces.complete && schemas.complete,
    };
  } finally {
    netlink.close();
  }
}

type Attributes = Map<number, { offset: number; length: number }>;

/** Messages that are not what was asked for, or lack what every one has, are left out. */
function dump<T>(
  netlink: Netlink,
  family: NetlinkFamily,
  command: number,
  read: (view: DataView, attributes: Attributes) => T | undefined,
): { found: T[]; complete: boolean } {
  const { octets, index, complete } = netlink.request({ family, command, dump: true });
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const found: T[] = [];
  for (let i = 0; i < index.length; i += 2) {
    const [offset, length] = [index[i]!, index[i + 1]!];
    if (messageCommand(view, offset, length, family.id) !== command) continue;
    const one = read(view, attributesOf(view, offset + GENERIC_HEADER, offset + length));
    if (one !== undefined) found.push(one);
  }
  return { found, complete };
}

function attributesOf(view: DataView, from: number, end: number): Attributes {
  const attributes: Attributes = new Map();
  const walk = new AttributeWalk();
  walk.begin(view, from, end);
  while (walk.next()) attributes.set(walk.type, { offset: walk.offset, length: walk.length });
  return attributes;
}

function unsigned(view: DataView, attributes: Attributes, type: number): number | undefined {
  const at = attributes.get(type);
  if (at?.length === 2) return view.getUint16(at.offset, LITTLE);
  return at?.length === 4 ? view.getUint32(at.offset, LITTLE) : undefined;
}

function namespaceOf(view: DataView, attributes: Attributes): NamespaceSetting | undefined {
  const id = unsigned(view, attributes, NS_ID);
  if (id === undefined) return undefined;
  const setting: NamespaceSetting = { ioamNamespaceId: id };
  const data = unsigned(view, attributes, NS_DATA);
  if (data !== undefined) setting.ioamNamespaceData = data;
  const wide = attributes.get(NS_DATA_WIDE);
  if (wide?.length === 8) setting.ioamNamespaceDataWide = view.getBigUint64(wide.offset, LITTLE);
  const schema = unsigned(view, attributes, SC_ID);
  if (schema !== undefined) setting.ioamSnapshotSchemaId = schema;
  return setting;
}

function schemaOf(view: DataView, attributes: Attributes): SchemaSetting | undefined {
  const id = unsigned(view, attributes, SC_ID);
  if (id === undefined) return undefined;
  const { offset, length } = attributes.get(SC_DATA) ?? { offset: 0, length: 0 };
  const from = view.byteOffset + offset;
  return {
    ioamSnapshotSchemaId: id,
    ioamSnapshotData: new Uint8Array(view.buffer.slice(from, from + length)),
  };
}

/** What switches IOAM on for an interface. */
export const ENABLE_IOAM = "sysctl -w net.ipv6.conf.IFACE.ioam6_enabled=1";

/** Whether an interface has IOAM switched on: from no other does an event come. */
export function hasIoamEnabled(netns?: NetnsHandle): boolean {
  const isOne = (): boolean => interfaceNames().some(isEnabled);
  return netns === undefined ? isOne() : withNetns(netns, isOne);
}

/** In the netns that the calling thread is in: /proc/sys/net shows each thread its own. */
function readIds(): Pick<NodeSettings, "ioamNodeId" | "ioamNodeIdWide" | "interfaces"> {
  return {
    ...readNodeIds(),
    interfaces: interfaceNames()
      .map(interfaceOf)
      .filter(({ enabled, ...rest }) => enabled || Object.keys(rest).length > 1),
  };
}

function interfaceNames(): string[] {
  const names = readdirSync("/proc/sys/net/ipv6/conf");
  return names.filter((name) => name !== "all" && name !== "default");
}

function isEnabled(interfaceName: string): boolean {
  return readIPv6Sysctl(`conf/${interfaceName}/ioam6_enabled`) === "1";
}

function interfaceOf(interfaceName: string): InterfaceSetting {
  const conf = `conf/${interfaceName}`;
  const id = Number(readIPv6Sysctl(`${conf}/ioam6_id`) ?? UNSET_16);
  const wide = Number(readIPv6Sysctl(`${conf}/ioam6_id_wide`) ?? UNSET_32);
  return {
    interfaceName,
    enabled: isEnabled(interfaceName),
    ...(id === UNSET_16 ? {} : { ioamInterfaceId: id }),
    ...(wide === UNSET_32 ? {} : { ioamInterfaceIdWide: wide }),
  };
}
