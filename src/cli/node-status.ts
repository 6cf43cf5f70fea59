// How the kernel's own IOAM is set up, as `ioamctl status` shows it.
import { openNetns } from "../native/bpf-loader/index.ts";
import {
  type InterfaceSetting,
  type NamespaceSetting,
  type NodeSettings,
  readNodeSettings,
  type SchemaSetting,
} from "../netlink/index.ts";
import { hexadecimal } from "./event-fields.ts";
import type { Logger } from "./log.ts";
import { type Column, type TableStyle, tableLines } from "./table.ts";

/** The node of a network namespace. */
export interface NodeStatus extends Omit<NodeSettings, "schemas"> {
  netns: string | null;
  schemas: { ioamSnapshotSchemaId: number; ioamSnapshotData: string }[];
}

/**
 * Reads the nodes of these network namespaces and of this one. One that is not set up at all, or
 * cannot be read (no IOAM in this kernel, gone meanwhile), is left out.
 */
export function readNodes(netns: readonly (string | null)[], log: Logger): NodeStatus[] {
  return [...new Set([null, ...netns])].flatMap((name) => {
    try {
      const node = readNode(name);
      return isSetUp(node) ? [node] : [];
    } catch (error) {
      log.debug({ netns: name, err: error }, "IOAM settings cannot be read");
      return [];
    }
  });
}

function readNode(netns: string | null): NodeStatus {
  const handle = netns === null ? undefined : openNetns(netns);
  try {
    const settings = readNodeSettings(handle);
    return { netns, ...settings, schemas: settings.schemas.map(schemaStatus) };
  } finally {
    handle?.close();
  }
}

function schemaStatus(schema: SchemaSetting): NodeStatus["schemas"][number] {
  return { ...schema, ioamSnapshotData: hexadecimal(schema.ioamSnapshotData) };
}

function isSetUp(node: NodeStatus): boolean {
  const { namespaces, schemas, interfaces, ioamNodeId, ioamNodeIdWide } = node;
  const lists = namespaces.length + schemas.length + interfaces.length;
  return lists > 0 || ioamNodeId !== undefined || ioamNodeIdWide !== undefined;
}

/** The same for people: a table of ids, one of namespaces, one of schemas. */
export function* nodeLines(nodes: readonly NodeStatus[], style: TableStyle): Generator<string> {
  for (const node of nodes) {
    const where = node.netns === null ? "" : ` of netns ${node.netns}`;
    yield "";
    yield `IOAM node${where}: id ${plain(node.ioamNodeId)}, wide ${plain(node.ioamNodeIdWide)}`;
    if (node.interfaces.length > 0) yield* tableLines(INTERFACES, node.interfaces, style);
    if (node.namespaces.length > 0) yield* tableLines(NAMESPACES, node.namespaces, style);
    for (const { ioamSnapshotSchemaId: id, ioamSnapshotData: data } of node.schemas) {
      yield `schema ${id}: ${data}`;
    }
    if (!node.complete) yield "There are more namespaces or schemas than the kernel's dump holds.";
  }
}

const INTERFACES: Column<InterfaceSetting>[] = [
  { title: "IFACE", cell: (one) => one.interfaceName },
  { title: "IOAM", cell: (one) => (one.enabled ? "on" : "off") },
  { title: "ID", align: "right", cell: (one) => plain(one.ioamInterfaceId) },
  { title: "WIDE", align: "right", cell: (one) => plain(one.ioamInterfaceIdWide) },
];

const NAMESPACES: Column<NamespaceSetting>[] = [
  { title: "NAMESPACE", align: "right", cell: (one) => String(one.ioamNamespaceId) },
  { title: "DATA", align: "right", cell: (one) => hex(one.ioamNamespaceData) },
  { title: "WIDE", align: "right", cell: (one) => hex(one.ioamNamespaceDataWide) },
  { title: "SCHEMA", align: "right", cell: (one) => plain(one.ioamSnapshotSchemaId) },
];

function plain(value: number | bigint | undefined): string {
  return value === undefined ? "-" : String(value);
}

function hex(value: number | bigint | undefined): string {
  return value === undefined ? "-" : `0x${value.toString(16)}`;
}
