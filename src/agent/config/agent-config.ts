// The agent's configuration once it has been read: every default filled in, every quantity a number.
import type { TimestampFormats } from "../../ioam/index.ts";
import type { GroupName, TemplateConfig } from "../templates/record-group.ts";
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

/** How messages get to a collector. */
export type CollectorTransport = "udp" | "tcp" | "tls" | "dtls";

/** How both sides of a TLS or DTLS session know each other. Paths are absolute. */
export interface TlsConfig {
  /** Certificates of the authorities that collectors' certificates are trusted by (PEM). */
  readonly ca: string;
  /** This exporter's certificate, with those between it and the authority (PEM). */
  readonly cert: string;
  /** Its private key (PEM). */
  readonly key: string;
  /** Of the key, where it is encrypted. */
  readonly passphrase?: string | undefined;
  /** Name or address that the collector's certificate must be for; the host when left out. */
  readonly serverName?: string | undefined;
  /** Names, addresses and SHA-256 fingerprints, of which its certificate must have one, too. */
  readonly peers?: readonly string[] | undefined;
}

/** A collector to export to. */
export interface CollectorConfig {
  readonly address: Endpoint;
  readonly transport: CollectorTransport;
  /** Milliseconds. Of UDP and DTLS: the others send templates once a session. */
  readonly templateRefresh: number;
  /** Octets of an IP packet, over TCP and TLS of a message; the path's when left out. */
  readonly mtu?: number | undefined;
  /** Bits a second; no limit when left out. */
  readonly maxRate?: number | undefined;
  /** Milliseconds until an attempt to begin a session is given up. UDP has none. */
  readonly connectTimeout: number;
  /** Milliseconds from the beginning of one attempt to that of the next. */
  readonly reconnect: number;
  /** Of TLS and DTLS alone, and always there then. */
  readonly tls?: TlsConfig | undefined;
}

/** A way to print flows on standard output. */
export type ConsoleFormat = "json" | "text";

/** IPFIX files (RFC 5655). */
export interface FileConfig {
  /** Absolute. */
  readonly path: string;
  /** Milliseconds after which a file is finished. */
  readonly rotate: number;
  /** Octets of a file; no limit when left out. */
  readonly maxSize?: number | undefined;
  /** Finished files that are kept, the newest; all when left out. */
  readonly keep?: number | undefined;
}

/** Another place for flows than a collector: the one or the other. */
export type OutputConfig =
  | { readonly console: { readonly format: ConsoleFormat }; readonly file?: undefined }
  | { readonly file: FileConfig; readonly console?: undefined };

/** Options records: how often each kind is sent, in milliseconds; undefined: never. */
export interface OptionsConfig {
  /** Messages, records and octets exported (RFC 7011 section 4.1). */
  readonly meteringStatistics: number | undefined;
  /** Packets that were not metered (section 4.2). */
  readonly meteringReliability: number | undefined;
  /** Flows that were not sent (section 4.3). */
  readonly exportingReliability: number | undefined;
  /** Which elements are flow keys (section 4.4); in the templates' own observation domain. */
  readonly flowKeys: number | undefined;
  /** What the elements of enterprises are (RFC 5610). */
  readonly extendedTypeInformation: number | undefined;
  readonly interfaceNames: number | undefined;
  /** Of the options records but flow keys. */
  readonly observationDomainId: number;
}

/** Named as in the configuration file. */
export interface AgentConfig {
  readonly observationDomainId: number;
  /** Of network namespaces that have another, by name. */
  readonly observationDomains: Readonly<Record<string, number>>;
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
  /** Whether all collectors get everything, or the first that works. */
  readonly exportMode: "parallel" | "fallback";
  readonly outputs: readonly OutputConfig[];
  readonly options: OptionsConfig;
  readonly templates: Readonly<Record<GroupName, TemplateConfig>>;
  /** Of the existing IOAM elements, and of those that this project adds. */
  readonly enterpriseNumbers: { readonly ioam: number; readonly own: number };
  readonly onExit: "detach" | "keep";
}
