// Interfaces of the current netns: index, name, kind of link layer.

import { IoamctlError } from "../../errors.ts";
import { addon } from "./addon.ts";
import { attempt } from "./failure.ts";

/** The index of that interface; 0: there is none. */
export function interfaceIndex(name: string): number {
  return attempt(`cannot look up interface ${name}`, "INTERFACE_FAILED", () =>
    addon().interfaceIndex(name),
  );
}

/** The name of that interface; undefined: there is none. */
export function interfaceName(index: number): string | undefined {
  return attempt(`cannot look up interface ${index}`, "INTERFACE_FAILED", () =>
    addon().interfaceName(index),
  );
}

/**
 * The kind of link layer of an interface, by name or index: its ARPHRD_* (linux/if_arp.h), for
 * instance 1: Ethernet, 65534: none. NO_SUCH_INTERFACE.
 */
export function deviceType(interfaceNameOrIndex: string | number): number {
  const what = `cannot look up interface ${interfaceNameOrIndex}`;
  const type = attempt(what, "INTERFACE_FAILED", () =>
    addon().interfaceType(
      typeof interfaceNameOrIndex === "string"
        ? addon().interfaceIndex(interfaceNameOrIndex)
        : interfaceNameOrIndex,
    ),
  );
  if (type === undefined) {
    throw new IoamctlError("NO_SUCH_INTERFACE", `${what}: there is none in this netns`);
  }
  return type;
}
