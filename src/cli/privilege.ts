// Whether this process may work with eBPF and network namespaces at all.
import { readFileSync } from "node:fs";
import { IoamctlError } from "../errors.ts";

// Bits of a capability set, linux/capability.h.
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

/**
 * Throws NOT_PERMITTED unless this process has CAP_NET_ADMIN and CAP_BPF and, in order to load
 * programs, CAP_PERFMON (CAP_SYS_ADMIN stands for both). Being root is neither needed nor enough: a
 * container's root often has none of them.
 */
export function requirePrivileges(purpose: "look" | "load" = "look"): void {
  const effective = effectiveCapabilities();
  const has = (bit: bigint): boolean => ((effective >> bit) & 1n) === 1n;
  const loads = purpose === "load";
  const missing = [
    ...(has(CAP_BPF) || has(CAP_SYS_ADMIN) ? [] : ["CAP_BPF"]),
    ...(!loads || has(CAP_PERFMON) || has(CAP_SYS_ADMIN) ? [] : ["CAP_PERFMON"]),
    ...(has(CAP_NET_ADMIN) ? [] : ["CAP_NET_ADMIN"]),
  ];
  if (missing.length === 0) return;
  throw new IoamctlError(
    "NOT_PERMITTED",
    "not permitted: eBPF programs and network namespaces need root's rights " +
      `(CAP_BPF${loads ? ", CAP_PERFMON" : ""} and CAP_NET_ADMIN; missing: ${missing.join(", ")}): ` +
      "run it as root, for instance with sudo",
  );
}

/** Throws NOT_PERMITTED unless this process has CAP_NET_ADMIN, which the kernel's IOAM events take. */
export function requireNetAdmin(): void {
  if (((effectiveCapabilities() >> CAP_NET_ADMIN) & 1n) === 1n) return;
  throw new IoamctlError(
    "NOT_PERMITTED",
    "not permitted: the kernel's IOAM events need CAP_NET_ADMIN: " +
      "run it as root, for instance with sudo",
  );
}

function effectiveCapabilities(): bigint {
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return BigInt(`0x${match?.[1] ?? "0"}`);
}
