// The kernel's IOAM events: decoded in place, one after another, into one object that is used again.

import {
  BIT,
  bitMask,
  locateFields,
  MAX_NODES,
  type NodeFields,
  nodeFields,
  SNAPSHOT_DATA,
  SNAPSHOT_LENGTH,
  splitNodes,
  type TraceLayout,
  traceLayout,
} from "../ioam/index.ts";
import { AttributeWalk, GENERIC_HEADER, LITTLE, messageCommand } from "./attributes.ts";

const COMMAND_TRACE = 1;
const COMMAND_DEX = 2;

const TRACE_NAMESPACE = 1;
const TRACE_NODE_LENGTH = 2;
const TRACE_TYPE = 3;
const TRACE_DATA = 4;

const DEX_OPTION_TYPE = 5;
const DEX_NAMESPACE = 6;
/** Also the number of the empty attributes that align those of 8 octets. */
const DEX_FLOW_ID = 7;
const DEX_SEQUENCE_NUMBER = 8;
/** Node data of bit 0; those of the bits up to 21 follow. */
const DEX_FIRST_BIT = 9;
const DEX_SNAPSHOT_SCHEMA = 31;
const DEX_SNAPSHOT_DATA = 32;
const IOAM_OPTION_DEX = 4;

function isWide(bit: number): boolean {
  return bit >= BIT.nodeIdWide && bit <= BIT.namespaceDataWide;
}

/**
 * An event: `trace` of a pre-allocated trace option, as mainline Linux sends it, `dex` of a Direct
 * Exporting option, as the out-of-tree patch does. What it says is that of the last decode() that
 * returned true.
 */
export class IoamEvent {
  kind: "trace" | "dex" = "trace";
  namespaceId = 0;
  /** 24 bits. Of a DEX event: those whose data it carries. */
  traceType = 0;
  /** Nodes whose data it carries: 0 is possible. Of a DEX event: 1. */
  hops = 0;
  /** Of a DEX event that has it. */
  flowId: number | undefined = undefined;
  /** Of a DEX event that has it. */
  sequenceNumber: number | undefined = undefined;

  readonly #type: number;
  readonly #walk: AttributeWalk = new AttributeWalk();
  readonly #nodes: Uint32Array = new Uint32Array(MAX_NODES);
  readonly #dexFields: NodeFields = nodeFields();
  #layout: TraceLayout = traceLayout(0);
  #octets: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** For messages of the family IOAM6, whose number is `type`. */
  constructor(type: number) {
    this.#type = type;
  }

  /** The octets that the offsets of locate() lie in. */
  get view(): DataView {
    return this.#view;
  }

  /**
   * Decodes the message of `length` octets at `offset`. False when it is none of the two events, or
   * contradicts itself; the rest of the object then means nothing. Never throws, never looks
   * beyond the message.
   */
  decode(octets: Uint8Array, offset: number, length: number): boolean {
    if (this.#octets !== octets) {
      this.#octets = octets;
      this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    }
    const command = messageCommand(this.#view, offset, length, this.#type);
    if (command !== COMMAND_TRACE && command !== COMMAND_DEX) return false;
    const end = offset + this.#view.getUint32(offset, LITTLE);
    this.#walk.begin(this.#view, offset + GENERIC_HEADER, end);
    return command === COMMAND_TRACE ? this.#decodeTrace() : this.#decodeDex();
  }

  /**
   * Where the fields of a node are in `view`. Hops are numbered along the path: 0 is the first node
   * that added data, hops - 1 the one that sent the event.
   */
  locate(hop: number, fields: NodeFields): void {
    if (this.kind === "dex") {
      fields.set(this.#dexFields);
    } else {
      locateFields(this.#octets, this.#nodes[this.hops - 1 - hop]!, this.#layout, fields);
    }
  }

  #decodeTrace(): boolean {
    const walk = this.#walk;
    let namespaceId = -1;
    let nodeLength = -1;
    let traceType = -1;
    let data = 0;
    let length = 0;
    while (walk.next()) {
      switch (walk.type) {
        case TRACE_NAMESPACE:
          if (walk.length !== 2) return false;
          namespaceId = this.#view.getUint16(walk.offset, LITTLE);
          break;
        case TRACE_NODE_LENGTH:
          if (walk.length !== 1) return false;
          nodeLength = this.#view.getUint8(walk.offset);
          break;
        case TRACE_TYPE:
          if (walk.length !== 4) return false;
          // The 24 bits are the upper ones.
          traceType = this.#view.getUint32(walk.offset, LITTLE) >>> 8;
          break;
        case TRACE_DATA:
          data = walk.offset;
          length = walk.length;
          break;
      }
    }
    if (walk.malformed || namespaceId < 0 || traceType < 0) return false;
    const layout = traceLayout(traceType);
    if (nodeLength !== layout.nodeLength) return false;
    const hops = splitNodes(this.#octets, data, length, layout, this.#nodes);
    if (hops < 0) return false;
    this.kind = "trace";
    this.namespaceId = namespaceId;
    this.traceType = traceType;
    this.hops = hops;
    this.flowId = undefined;
    this.sequenceNumber = undefined;
    this.#layout = layout;
    return true;
  }

  #decodeDex(): boolean {
    const walk = this.#walk;
    this.#dexFields.fill(-1);
    this.#dexFields[SNAPSHOT_LENGTH] = 0;
    this.kind = "dex";
    this.namespaceId = -1;
    this.traceType = 0;
    this.hops = 1;
    this.flowId = undefined;
    this.sequenceNumber = undefined;
    while (walk.next()) {
      if (!this.#takeDexAttribute(walk)) return false;
    }
    return !walk.malformed && this.namespaceId >= 0;
  }

  /** False: it has not the size that its kind has. */
  #takeDexAttribute({ type, offset, length }: AttributeWalk): boolean {
    switch (type) {
      case DEX_OPTION_TYPE:
        return length === 1 && this.#view.getUint8(offset) === IOAM_OPTION_DEX;
      case DEX_NAMESPACE:
        if (length !== 2) return false;
        this.namespaceId = this.#view.getUint16(offset, LITTLE);
        return true;
      case DEX_FLOW_ID:
        if (length === 4) this.flowId = this.#view.getUint32(offset, LITTLE);
        return length === 4 || length === 0;
      case DEX_SEQUENCE_NUMBER:
        if (length !== 4) return false;
        this.sequenceNumber = this.#view.getUint32(offset, LITTLE);
        return true;
      case DEX_SNAPSHOT_SCHEMA:
        if (length !== 4) return false;
        this.#dexFields[BIT.snapshot] = offset;
        this.traceType |= bitMask(BIT.snapshot);
        return true;
      case DEX_SNAPSHOT_DATA:
        this.#dexFields[SNAPSHOT_DATA] = offset;
        this.#dexFields[SNAPSHOT_LENGTH] = length;
        this.traceType |= bitMask(BIT.snapshot);
        return true;
      default:
        return this.#takeDexField(type - DEX_FIRST_BIT, offset, length);
    }
  }

  #takeDexField(bit: number, offset: number, length: number): boolean {
    // Attributes of kernels to come.
    if (bit < 0 || bit > BIT.lastUndefined) return true;
    if (length !== (isWide(bit) ? 8 : 4)) return false;
    this.#dexFields[bit] = offset;
    this.traceType |= bitMask(bit);
    return true;
  }
}
