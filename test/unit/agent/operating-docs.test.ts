// docs/operating.md: its configuration is right, says everything, and its defaults are those of the code.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent/config/agent-config.ts";
import { parseConfig } from "../../../src/agent/config/load-config.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";

const text = readFileSync(new URL("../../../docs/operating.md", import.meta.url), "utf8");
const section = text.split("\n## Configuration\n")[1]!.split("\n## ")[0]!;
const yaml = /```yaml\n([\s\S]*?)```/.exec(section)![1]!;

let folder: Folder;
let config: AgentConfig;
beforeAll(async () => {
  folder = await temporaryFolder("operating");
  mkdirSync(join(folder.path, "tls"));
  for (const name of ["ca.pem", "router.pem", "router.key"]) {
    writeFileSync(join(folder.path, "tls", name), "");
  }
  // The folder of a file has to be there, which on this machine need not be so.
  const here = yaml.replace("/var/lib/ioamctl/", `${folder.path}/`);
  config = parseConfig(here, join(folder.path, "agent.yaml"));
});
afterAll(() => folder.remove());

it("the configuration is right, and has every key that there is", () => {
  const minimal = parseConfig("interfaces: [{ name: a }]\noutputs: [{ console: {} }]\n", "a.yaml");
  const keys = (value: object): string[] => Object.keys(value).sort();
  expect([...yaml.matchAll(/^(\w+):/gm)].map(([, key]) => key).sort()).toEqual(keys(minimal));
  expect(keys(config.options)).toEqual(keys(minimal.options));
  // What is given as it is by default in the example.
  expect(config.options).toEqual(minimal.options);
  expect(config.enterpriseNumbers).toEqual(minimal.enterpriseNumbers);
  expect(config.collectors.map(({ transport }) => transport)).toEqual(["udp", "tcp", "tls"]);
});

it("every key that may be given is in the table", () => {
  const listed = [...section.matchAll(/^\| (.*?) \|/gm)].map(([, key]) => key!).join(" ");
  const paths = (value: unknown, path: string): string[] => {
    if (Array.isArray(value)) return [...new Set(value.flatMap((one) => paths(one, `${path}[]`)))];
    if (typeof value !== "object" || value === null || path === "collectors[].address") {
      return [path];
    }
    if (["options", "templates"].includes(path)) return [`${path}.*`];
    const whole = ["enterpriseNumbers", "interfaces[]", "observationDomains", "trace.timestamps"];
    if (whole.includes(path)) return [path];
    return Object.entries(value).flatMap(([key, inner]) =>
      paths(inner, path === "" ? key : `${path}.${key}`),
    );
  };
  for (const path of new Set(paths(config, ""))) {
    const short = path.replace(/^collectors\[\]\.tls(\.(cert|key))$/, "$1").replace(/\[\]$/, "");
    expect(listed, path).toContain(`\`${short}`);
  }
});
