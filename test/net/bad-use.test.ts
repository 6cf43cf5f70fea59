// Bad use: one clear line on standard error, the right exit status, and nothing left behind.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { createNetns, type Netns, netnsPrefix } from "../lab/netns.ts";
import type { RunResult } from "../lab/process.ts";
import { type CommandOptions, type Lack, PrivateHost, withoutTcx } from "./private-host.ts";

/** Somebody with these capabilities, and with what it takes to read the checkout wherever it is. */
function nobody(...capabilities: string[]): string[] {
  const set = ["-all", "+dac_read_search", ...capabilities.map((one) => `+${one}`)].join();
  const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  return ["setpriv", ...user, `--inh-caps=${set}`, `--ambient-caps=${set}`];
}

/** Root without that one right. */
const withoutNetAdmin = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];

let host: PrivateHost;
let here: Netns;
let there: Netns;
let folder: Folder;

beforeAll(async () => {
  const prefix = netnsPrefix();
  host = await PrivateHost.start();
  folder = await temporaryFolder("bad-use");
  [here, there] = await Promise.all([createNetns("here", prefix), createNetns("there", prefix)]);
  await here.ip(`link add near0 type veth peer name far0 netns ${there.name}`, "link set near0 up");
});

afterAll(async () => {
  await Promise.allSettled([here?.close(), there?.close(), host?.close(), folder?.remove()]);
});

/** The names in a line of a table below, filled in. */
function words(line: string): string[] {
  return withNames(line).split(" ");
}

function withNames(text: string): string {
  return text.replace(/\bHERE\b/g, here.name).replace(/\bTHERE\b/g, there.name);
}

function expectRefusal(result: RunResult, status: number, message: RegExp): void {
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^ioamctl [a-z]+: [^\n]*\n$/);
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code: status, stdout: "" });
}

/** It fails with one line, and there is nothing of it. */
async function refused(
  args: string[],
  status: number,
  message: RegExp,
  o: CommandOptions = {},
): Promise<void> {
  expectRefusal(await host.ioamctl(args, o), status, message);
  await host.clean(here, there);
}

/** Writes a configuration; its path. */
async function configuration(text: string): Promise<string> {
  const path = join(folder.path, `${Math.random().toString(36).slice(2)}.yaml`);
  await writeFile(path, withNames(text));
  return path;
}

describe("interfaces and namespaces", () => {
  test.each([
    [
      "attach -n none0 --netns HERE",
      /no interface none0 in netns \S+-here: see 'ip -n \S+-here link'/,
    ],
    [
      "attach -n far0 --netns HERE",
      /no interface far0 in netns \S+-here: see 'ip -n \S+-here link'/,
    ],
    ["attach -n near0 none0 --direction both --netns HERE", /no interface none0/],
    ["attach -n near0 none0 --hook tc --netns HERE", /no interface none0/],
    ["attach -n near0 --netns nowhere", /cannot open netns nowhere: .*ip netns list/],
    ["attach -n near0", /no interface near0 in this network namespace: .* --netns/],
    ["detach -n near0 --netns HERE", /near0 is not attached in netns \S+-here: `ioamctl status`/],
    ["dump --netns HERE", /nothing is metered in netns \S+: attach with .* --netns \S+-here`/],
    ["flush --all --netns HERE", /nothing is metered in netns \S+: attach with/],
    ["agent -n near0 none0 --netns HERE --console", /no interface none0/],
    ["agent -n near0 --netns nowhere --console", /cannot open netns nowhere/],
  ])("ioamctl %s", (line, message) => refused(words(line), 1, message));

  test("an agent for two namespaces, of which one lacks the interface", async () => {
    const file = await configuration(`
interfaces: [{ name: near0, netns: HERE, direction: both }, { name: none0, netns: THERE }]
outputs: [{ console: {} }]
`);
    await refused(["agent", "-c", file], 1, /no interface none0 in netns \S+-there/);
  });
});

describe("a meter that was made with other options", () => {
  test("is left as it was", async () => {
    const options = ["--netns", here.name, "--max-flows", "64", "--namespace", "7", "9"];
    await host.print("attach", "-n", "near0", ...options);
    onTestFinished(async () => {
      await host.print("detach", "--all", "--netns", here.name);
      await host.clean(here, there);
    });
    const status = await host.json("status");
    const files = await host.leftovers(here);
    for (const [line, message] of [
      ["attach -n near0 --netns HERE --max-flows 65", /made for 64 flows, not 65: run 'ioamctl /],
      ["attach -n near0 --netns HERE --namespace 7", /made for namespaces 7, 9: run 'ioamctl /],
      ["attach -n none0 --netns HERE", /no interface none0/],
      ["agent -n near0 none0 --netns HERE --console", /no interface none0/],
    ] as const) {
      expectRefusal(await host.ioamctl(words(line)), 1, message);
    }
    const file = await configuration(`
interfaces: [{ name: near0, netns: HERE }]
meter: { maxFlows: 65 }
outputs: [{ console: {} }]
`);
    expectRefusal(await host.ioamctl(["agent", "-c", file]), 1, /made for 64 flows, not 65/);
    expect(await host.json("status")).toEqual(status);
    expect(await host.leftovers(here)).toEqual(files);
  });
});

describe("what the system lacks", () => {
  test.each(["attach -n near0 --netns HERE", "agent -n near0 --netns HERE --console"])(
    "not root: ioamctl %s",
    (line) => refused(words(line), 1, /not permitted: .*CAP_BPF.*: .*sudo$/m, { by: nobody() }),
  );

  test("some of root's rights, but not to load programs", () =>
    refused(words("attach -n near0 --netns HERE"), 1, /not permitted: .*CAP_PERFMON/, {
      by: nobody("net_admin", "bpf"),
    }));

  describe("all of root's rights but CAP_NET_ADMIN", () => {
    test.each([
      ["monitor --netns HERE", /: the kernel's IOAM events need CAP_NET_ADMIN: run it as root/],
      ["status", /need root's rights \(CAP_BPF and CAP_NET_ADMIN; missing: CAP_NET_ADMIN\): /],
      ["dump --netns HERE", /\(CAP_BPF and CAP_NET_ADMIN; missing: CAP_NET_ADMIN\): run it/],
      [
        "agent -n near0 --netns HERE --console",
        /\(CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; missing: CAP_NET_ADMIN\): run it as root/,
      ],
    ])("ioamctl %s", (line, message) => refused(words(line), 1, message, { by: withoutNetAdmin }));

    test("an agent with traces alone; with interfaces beside them", async () => {
      const outputs = "trace: { source: kernel }\noutputs: [{ console: {} }]\n";
      const message = /not permitted: .* need .*CAP_NET_ADMIN/;
      for (const interfaces of ["", "interfaces: [{ name: near0, netns: HERE }]\n"]) {
        const file = await configuration(interfaces + outputs);
        await refused(["agent", "-c", file], 1, message, { by: withoutNetAdmin });
      }
    });
  });

  test("CAP_NET_ADMIN alone: traces of the own netns, not another's, no lock of another user's", async () => {
    const by = nobody("net_admin");
    await refused(words("monitor --netns HERE"), 1, /: another netns needs root or CAP_SYS_ADMIN/, {
      by,
    });
    const file = await configuration("trace: { source: kernel }\noutputs: [{ console: {} }]\n");
    const running = host.start(["agent", "-c", file], { by, inside: here });
    await running.until(/"msg":"running"/);
    expect((await running.stop()).code).toBe(0);
    await host.run(["sh", "-c", "rm /run/ioamctl/*; chmod 755 /run/ioamctl"]);
    onTestFinished(async () => {
      await host.run(["chmod", "1777", "/run/ioamctl"]);
    });
    await refused(["agent", "-c", file], 1, /cannot write \S+trace-\d+\.lock \(EACCES\): run it/, {
      by,
    });
  });

  test("no TCX, and nothing else will do", () =>
    refused(words("attach -n near0 --netns HERE --hook tcx"), 1, /TCX\): needs Linux 6.6 or/, {
      by: withoutTcx,
    }));

  test.each<[Lack, RegExp]>([
    ["libbpf", /libbpf\.so\.1 is not installed: run apt-get install libbpf1 \(Debian, Ubuntu\) or/],
    ["addons", /native\/build\/Release\/bpf-loader\.node does not exist: run make build$/m],
  ])("%s", async (lack, message) => {
    const usual = host;
    await using lacking = await PrivateHost.start(lack);
    host = lacking;
    onTestFinished(() => {
      host = usual;
    });
    await refused(words("attach -n near0 --netns HERE"), 1, message);
    await refused(words("agent -n near0 --netns HERE --console"), 1, message);
    const help = await host.ioamctl(["attach", "--help"]);
    expect([help.code, help.stderr]).toEqual([0, ""]);
  });
});

describe("collectors", () => {
  test.each([
    ["collector.invalid:4739", /name collector\.invalid does not resolve: check it, or give its/],
    ["192.0.2.1:4739", /cannot reach the collector 192\.0\.2\.1 port 4739 .* routes/],
    ["[2001:db8::1]:4739", /cannot reach the collector 2001:db8::1 port 4739 .* routes/],
  ])("to which there is no way do not keep an agent from metering: %s", async (collector, why) => {
    // In a namespace that has no routes.
    const args = ["agent", "-n", "near0", "--collector", collector];
    const running = host.start(args, { inside: here });
    try {
      await running.until(/"msg":"running"/);
      expect(running.errors).toMatch(why);
      expect(running.errors).toContain("not connected: trying again");
    } finally {
      // Nothing was metered, so nothing is left.
      expect((await running.stop()).code).toBe(0);
    }
    await host.clean(here, there);
  });
});

describe("configurations", () => {
  test.each<[name: string, text: string, message: RegExp]>([
    ["malformed", "interfaces: [{ name: near0 }\nonExit: keep\n", /:2:1: not valid YAML: /],
    [
      "an unknown key",
      "interfaces: [{ name: near0, netns: HERE }]\noutputs: [{ console: {} }]\nmeter: { delay: 1/16 }\n",
      /:3:10: unknown key delay in meter: known here: maxFlows, /,
    ],
    [
      "a duration without a unit",
      "interfaces:\n  - name: near0\noutputs: [{ console: {} }]\nmeter:\n  activeTimeout: 10\n",
      /:5:18: meter\.activeTimeout is "10": give a duration .* 10s/,
    ],
    [
      "no way out, and more",
      "interfaces: [{ name: near0 }]\nmeter: { maxFlows: many }\ncollectors: [{ address: here }]\n",
      /:2:20: meter\.maxFlows is "many": give a whole number .* \(and 1 more: --check lists all\)$/m,
    ],
  ])("%s", async (_, text, message) => {
    const file = await configuration(text);
    const result = await host.ioamctl(["agent", "-c", file]);
    expectRefusal(result, 2, message);
    expect(result.stderr).toContain(`${file}:`);
    await host.clean(here, there);
  });
});
