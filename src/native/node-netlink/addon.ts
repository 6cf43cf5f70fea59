// What the compiled addon exports, loaded on first use.

import { loadAddon } from "../load-addon.ts";

export interface RawFamily {
  id: number;
  version: number;
  groups: Record<string, number>;
}

export interface RawControl {
  family(name: string): RawFamily;
  request(
    type: number,
    command: number,
    version: number,
    dump: boolean,
    attributes: Uint8Array,
  ): { octets: Uint8Array; index: Uint32Array; complete: boolean };
  close(): void;
}

export interface RawReceiver {
  memory(): { octets: ArrayBuffer; index: ArrayBuffer; batchMessages: number };
  take(): { number: number; count: number; drops: number } | undefined;
  giveBack(number: number): void;
  counters(): {
    messages: number;
    drops: number;
    overruns: number;
    oversized: number;
    foreign: number;
    stalls: number;
    unread: number;
    receiveBuffer: number;
    failure: number;
    drained: boolean;
  };
  leave(): void;
  close(): void;
}

export interface Addon {
  Control: new (netnsFd: number) => RawControl;
  Receiver: new (
    netnsFd: number,
    groups: number[],
    receiveBuffer: number,
    bufferOctets: number,
    onReadable: () => void,
    keepAlive: boolean,
  ) => RawReceiver;
}

let loaded: Addon | undefined;

/** The addon, loaded by the first call: importing this module needs neither it nor libmnl. */
export function addon(): Addon {
  loaded ??= loadAddon("node-netlink") as Addon;
  return loaded;
}
