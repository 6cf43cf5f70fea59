// What a configuration may say. Messages say what is right; where, and what was found, is put before them.
import { z } from "zod";
import { TIMESTAMP_FORMATS, type TimestampFormats } from "../../ioam/index.ts";
import { MAX_FLOWS } from "../../meter/index.ts";
import type { AgentConfig } from "./agent-config.ts";
import { ENDPOINT_FORMS, type Endpoint, parseEndpoint } from "./endpoint.ts";
import { parseBitRate, parseDuration } from "./quantity.ts";

const DAY = 86_400_000;

/** A mapping that has these keys and no others. */
function mapping<T extends z.ZodRawShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `known here: ${keys}` : `give a mapping with: ${keys}`,
  });
}

function wholeNumber(minimum: number, maximum: number): z.ZodNumber {
  const error = `give a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

function choice<const T extends readonly string[]>(values: T): z.ZodEnum<{ [k in T[number]]: k }> {
  return z.enum(values, { error: `give ${values.join(" or ")}` });
}

function list<T extends z.ZodType>(element: T, what: string): z.ZodArray<T> {
  return z.array(element, { error: `give a list of ${what}` });
}

/** Text that `parse` understands; what it does not is answered with `error`. */
function parsed<T>(parse: (text: string) => T | undefined, error: string): z.ZodType<T> {
  return z.string({ error }).transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({ code: "custom", message: error, input: text });
    return z.NEVER;
  }) as unknown as z.ZodType<T>;
}

function duration(minimum: number, range: string): z.ZodType<number> {
  const parse = (text: string): number | undefined => {
    const value = parseDuration(text);
    return value !== undefined && value >= minimum && value <= DAY ? value : undefined;
  };
  return parsed(parse, `give a duration from ${range}, with its unit, such as 10s, 5m or 1h`);
}

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

const collectorConfig = mapping({
  address: parsed<Endpoint>(parseEndpoint, `give ${ENDPOINT_FORMS}`),
  transport: choice(["udp"]).default("udp"),
  templateRefresh: duration(1000, "1s to 1d").default(600_000),
  mtu: wholeNumber(512, 65_535).optional(),
  maxRate: parsed(parseBitRate, "give a rate with its unit, such as 100Mbit/s").optional(),
});

const outputConfig = mapping({
  console: mapping({ format: choice(["json", "text"]).default("json") }),
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

const enterpriseNumbers = mapping({
  ioam: wholeNumber(1, 0xffff_ffff).default(10383),
  own: wholeNumber(1, 0xffff_ffff).default(32473),
});

/** The whole configuration. */
export const agentConfigSchema: z.ZodType<AgentConfig> = mapping({
  observationDomainId: wholeNumber(0, 0xffff_ffff).default(1),
  interfaces: list(interfaceConfig, "interfaces such as { name: eth1 }").default([]),
  meter: meterConfig.prefault({}),
  trace: traceConfig.prefault({ source: "off" }),
  collectors: list(collectorConfig, "collectors").default([]),
  outputs: list(outputConfig, "outputs such as { console: { format: json } }").default([]),
  enterpriseNumbers: enterpriseNumbers.prefault({}),
  onExit: choice(["detach", "keep"]).default("detach"),
}).superRefine((config, context) => {
  if (config.interfaces.length === 0 && config.trace.source === "off") {
    context.addIssue({
      code: "custom",
      path: ["interfaces"],
      message:
        "give at least one interface such as { name: eth1 }, or have trace: { source: kernel }",
    });
  }
  if (config.collectors.length === 0 && config.outputs.length === 0) {
    context.addIssue({
      code: "custom",
      message: "nothing would be exported: give at least one of collectors, outputs",
    });
  }
  for (const [path, message] of repeatedInterfaces(config)) {
    context.addIssue({ code: "custom", path, message });
  }
  if (config.enterpriseNumbers.ioam === config.enterpriseNumbers.own) {
    context.addIssue({
      code: "custom",
      path: ["enterpriseNumbers", "own"],
      message: "give another number than that of ioam: the ids of both overlap",
    });
  }
});

function* repeatedInterfaces(config: AgentConfig): Generator<[(string | number)[], string]> {
  const seen = new Set<string>();
  for (const [i, { name, netns }] of config.interfaces.entries()) {
    const key = JSON.stringify([netns, name]);
    if (seen.has(key)) {
      yield [["interfaces", i, "name"], "is listed already: give its direction as both, once"];
    }
    seen.add(key);
  }
}

/** A configuration with every default filled in. Throws what zod throws when it is not right. */
export function configOf(value: unknown): AgentConfig {
  return agentConfigSchema.parse(value);
}
