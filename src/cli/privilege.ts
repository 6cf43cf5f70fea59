// Whether this process may work with eBPF and network namespaces at all.
import { readFileSync } from "node:fs";
import { IoamctlError } from "../errors.ts";

// Bits of a capability set, linux/capability.h.
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;
const CAP_BPF = 39n;

/**
 * Throws NOT_PERMITTED unless this process has CAP_NET_ADMIN and CAP_BPF (or CAP_SYS_ADMIN, which
 * stands for it). Being root is neither needed nor enough: a container's root often has neither.
 */
export function requirePrivileges(): void {
  const has = (bit: bigint): boolean => ((effectiveCapabilities() >> bit) & 1n) === 1n;
  if (has(CAP_NET_ADMIN) && (has(CAP_BPF) || has(CAP_SYS_ADMIN))) return;
  throw new IoamctlError(
    "NOT_PERMITTED",
    "not permitted: eBPF programs and network namespaces need root's rights " +
      "(CAP_BPF and CAP_NET_ADMIN): run it as root, for instance with sudo",
  );
}

function effectiveCapabilities(): bigint {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return BigInt(`0x${match?.[1] ?? "0"}`);
}
