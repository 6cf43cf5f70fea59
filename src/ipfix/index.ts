// The IPFIX library (RFC 7011): information elements, templates, compiled encoders, exporting process.
export {
  type AbstractDataType,
  isLengthAllowed,
  NATURAL_LENGTH,
  VARIABLE_LENGTH,
} from "./elements/data-type.ts";
export {
  type InformationElement,
  SEMANTICS,
  type Semantics,
} from "./elements/information-element.ts";
export {
  DEFAULT_ENTERPRISE_NUMBERS,
  type EnterpriseNumbers,
  ioamElements,
} from "./elements/ioam.ts";
export { ElementRegistry, ianaElements } from "./elements/registry.ts";
export { type TypeInformationOptions, typeInformation } from "./elements/type-information.ts";
export {
  type BoundEncoder,
  compileEncoder,
  type EncodeRecord,
  type Encoder,
} from "./encoder/compile-encoder.ts";
export type { ExportContext, FieldSource } from "./field-source.ts";
export { type LayoutField, type RecordLayout, recordLayout } from "./record-layout.ts";
export type { DomainCounters, SessionCounters } from "./session/counters.ts";
export type { ExportResult } from "./session/export-result.ts";
export {
  type DomainCall,
  type ExportCall,
  ExportingProcess,
  type ExportingProcessOptions,
} from "./session/exporting-process.ts";
export { JsonExporter, type JsonExporterOptions } from "./session/json-exporter.ts";
export type { LinkState } from "./session/link.ts";
export type { OptionsRecords } from "./session/options-records.ts";
export { type Records, recordsAt } from "./session/record-batch.ts";
export { Template, type TemplateField } from "./template.ts";
export { TemplateIds } from "./template-ids.ts";
export type { Destination } from "./transport/destination.ts";
export { type DtlsOptions, dtlsDestination } from "./transport/dtls.ts";
export { type FileOptions, fileDestination } from "./transport/file.ts";
export type { Lookup } from "./transport/name-lookup.ts";
export { type TcpOptions, tcpDestination } from "./transport/tcp.ts";
export { IPFIXS_PORT, type TlsOptions, tlsDestination } from "./transport/tls.ts";
export type { Peer, Transport } from "./transport/transport.ts";
export {
  IPFIX_PORT,
  openUdp,
  type UdpDestinationOptions,
  type UdpOptions,
  udpDestination,
} from "./transport/udp.ts";
export type { DataRecord, Value } from "./value/data-record.ts";
export { checkValue, encodeRecord } from "./value/encode-record.ts";
export { jsonRecord } from "./value/json-record.ts";
export type {
  BasicList,
  ListSemantic,
  ListValue,
  SubTemplateList,
  SubTemplateMultiList,
} from "./value/list-value.ts";
export { ValueError } from "./value/value-error.ts";
