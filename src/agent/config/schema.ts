// What a configuration may say. Messages say what is right; where, and what was found, is put before them.
import { z } from "zod";
import { TIMESTAMP_FORMATS, type TimestampFormats } from "../../ioam/index.ts";
import { MAX_FLOWS, READERS } from "../../meter/index.ts";
import type { AgentConfig } from "./agent-config.ts";
import { collectorSchema } from "./collector-schema.ts";
import { optionsSchema } from "./options-schema.ts";
import { outputSchema } from "./output-schema.ts";
import { choice, duration, list, mapping, wholeNumber } from "./schema-parts.ts";
import { templatesSchema } from "./templates-schema.ts";

const interfaceName = z
  .string({ error: "give the name of an interface" })
  .regex(/^[^\s/]{1,15}$/, { error: "give the name of an interface, of 1 to 15 characters" });

const netnsName = z
  .string({ error: "give a name that `ip netns` lists" })
  .min(1, { error: "give a name that `ip netns` lists" });

const interfaceConfig = mapping({
  name: interfaceName,
  netns: netnsName.optional(),
  direction: choice(["ingress", "egress", "both"]).default("ingress"),
});

const meterConfig = mapping({
  maxFlows: wholeNumber(1, MAX_FLOWS).optional(),
  activeTimeout: duration(100, "100ms to 1d").default(10_000),
  namespaces: list(wholeNumber(0, 0xffff), "IOAM namespace ids")
    .min(1, { error: "give at least one IOAM namespace id, or leave it out for any" })
    .optional(),
});

const TIMESTAMPS_ERROR =
  "give a mapping of IOAM namespace ids and default, such as { default: posix, 123: ptp }";

const DOMAINS_ERROR =
  "give a mapping of network namespaces and their observation domains, such as { blue: 2 }";

const observationDomainId = wholeNumber(0, 0xffff_ffff);

const observationDomains = z.record(netnsName, observationDomainId, { error: DOMAINS_ERROR });

const timestamps = z
  .record(
    z.string().refine((key) => key === "default" || isNamespaceId(key), {
      error: TIMESTAMPS_ERROR,
    }),
    choice(TIMESTAMP_FORMATS),
    { error: TIMESTAMPS_ERROR },
  )
  .transform(
    ({ default: other = "posix", ...rest }): TimestampFormats => ({
      other,
      byNamespace: new Map(Object.entries(rest).map(([id, format]) => [Number(id), format])),
    }),
  );

function isNamespaceId(text: string): boolean {
  return /^(\d+|0x[0-9a-f]+)$/i.test(text) && Number(text) <= 0xffff;
}

const traceConfig = mapping({
  source: choice(["kernel", "off"]),
  netns: list(netnsName, "network namespaces that `ip netns` lists")
    .min(1, { error: "give at least one network namespace, or leave it out" })
    .optional(),
  timestamps: timestamps.prefault({}),
});

/** Of reverse elements (RFC 5103): a collector would take ours for IANA's, the other way round. */
const REVERSE = 29305;

const enterpriseNumber = wholeNumber(1, 0xffff_ffff).refine((number) => number !== REVERSE, {
  error: `give another number: ${REVERSE} is that of reverse elements (RFC 5103)`,
});

const enterpriseNumbers = mapping({
  ioam: enterpriseNumber.default(10383),
  own: enterpriseNumber.default(32473),
});

/** What a configuration is read for: an agent, or only what it says of exporting. */
export type Purpose = "agent" | "export";

/** The whole configuration; paths in it are relative to `folder`. */
export function agentConfigSchema(
  folder: string,
  purpose: Purpose = "agent",
): z.ZodType<AgentConfig> {
  return mapping({
    observationDomainId: observationDomainId.default(1),
    observationDomains: observationDomains.default({}),
    interfaces: list(interfaceConfig, "interfaces such as { name: eth1 }").default([]),
    meter: meterConfig.prefault({}),
    trace: traceConfig.prefault({ source: "off" }),
    collectors: list(collectorSchema(folder), "collectors").default([]),
    exportMode: choice(["parallel", "fallback"]).default("parallel"),
    outputs: list(outputSchema(folder), "outputs such as { console: { format: json } }").default(
      [],
    ),
    options: optionsSchema.prefault({}),
    templates: templatesSchema.prefault({}),
    enterpriseNumbers: enterpriseNumbers.prefault({}),
    onExit: choice(["detach", "keep"]).default("detach"),
  }).superRefine((config, context) => {
    for (const [path, message] of contradictions(config, purpose)) {
      context.addIssue({ code: "custom", path, message });
    }
  });
}

type Mistake = [path: (string | number)[], message: string];

/** What is wrong with a configuration whose parts are right. */
function* contradictions(config: AgentConfig, purpose: Purpose): Generator<Mistake> {
  if (purpose === "agent" && config.interfaces.length === 0 && config.trace.source === "off") {
    const message =
      "give at least one interface such as { name: eth1 }, or have trace: { source: kernel }";
    yield [["interfaces"], message];
  }
  if (config.collectors.length === 0 && config.outputs.length === 0) {
    yield [[], "nothing would be exported: give at least one of collectors, outputs"];
  }
  yield* tooManySinks(config);
  yield* repeatedInterfaces(config);
  if (purpose === "agent") yield* unusedDomains(config);
  if (config.enterpriseNumbers.ioam === config.enterpriseNumbers.own) {
    const message = "give another number than that of ioam: the ids of both overlap";
    yield [["enterpriseNumbers", "own"], message];
  }
}

/**
 * Each reads the flow table at its own pace, of which the table allows so many. That collectors of
 * exportMode fallback read it as one changes nothing: the mode may be changed while the agent runs.
 */
function* tooManySinks({ collectors, outputs }: AgentConfig): Generator<Mistake> {
  if (collectors.length + outputs.length <= READERS) return;
  const path =
    collectors.length > READERS
      ? ["collectors", READERS]
      : ["outputs", READERS - collectors.length];
  yield [path, `is one too many: at most ${READERS} collectors and outputs together`];
}

function* unusedDomains({
  observationDomains,
  interfaces,
  trace,
}: AgentConfig): Generator<Mistake> {
  const used = [...interfaces.map(({ netns }) => netns), ...(trace.netns ?? [])];
  for (const name of Object.keys(observationDomains)) {
    if (used.includes(name)) continue;
    const message = "is of a network namespace that neither interfaces nor trace.netns name";
    yield [["observationDomains", name], message];
  }
}

function* repeatedInterfaces(config: AgentConfig): Generator<Mistake> {
  const seen = new Set<string>();
  for (const [i, { name, netns }] of config.interfaces.entries()) {
    const key = JSON.stringify([netns, name]);
    if (seen.has(key)) {
      yield [["interfaces", i, "name"], "is listed already: give its direction as both, once"];
    }
    seen.add(key);
  }
}

/**
 * A configuration with every default filled in; paths are relative to the working folder. Throws what
 * zod throws when it is not right.
 */
export function configOf(value: unknown, purpose: Purpose = "agent"): AgentConfig {
  return agentConfigSchema(process.cwd(), purpose).parse(value);
}
