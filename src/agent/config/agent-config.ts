// The agent's configuration once it has been read: every default filled in, every quantity a number.
import type { TimestampFormats } from "../../ioam/index.ts";
import type { Endpoint } from "./endpoint.ts";

/** An interface to meter. */
export interface InterfaceConfig {
  readonly name: string;
  /** Network namespace; the agent's own when left out. */
  readonly netns?: string | undefined;
  readonly direction: "ingress" | "egress" | "both";
}

/** Where traces come from. */
export interface TraceConfig {
  /** The kernel's own IOAM events. */
  readonly source: "kernel" | "off";
  /** Network namespaces; those of the interfaces when left out, the agent's own without any. */
  readonly netns?: readonly string[] | undefined;
  /** How nodes write timestamps. */
  readonly timestamps: TimestampFormats;
}

/** A collector to export to. */
export interface CollectorConfig {
  readonly address: Endpoint;
  readonly transport: "udp";
  /** Milliseconds. */
  readonly templateRefresh: number;
  /** Octets of an IP packet; the path's when left out. */
  readonly mtu?: number | undefined;
  /** Bits a second; no limit when left out. */
  readonly maxRate?: number | undefined;
}

/** A way to print flows on standard output. */
export type ConsoleFormat = "json" | "text";

/** Another place for flows than a collector. */
export interface OutputConfig {
  readonly console: { readonly format: ConsoleFormat };
}

/** Named as in the configuration file. */
export interface AgentConfig {
  readonly observationDomainId: number;
  readonly interfaces: readonly InterfaceConfig[];
  readonly meter: {
    readonly maxFlows?: number | undefined;
    /** Milliseconds. */
    readonly activeTimeout: number;
    /** IOAM namespaces to meter; any when left out. */
    readonly namespaces?: number[] | undefined;
  };
  readonly trace: TraceConfig;
  readonly collectors: readonly CollectorConfig[];
  readonly outputs: readonly OutputConfig[];
  /** Of the existing IOAM elements, and of those that this project adds. */
  readonly enterpriseNumbers: { readonly ioam: number; readonly own: number };
  readonly onExit: "detach" | "keep";
}
