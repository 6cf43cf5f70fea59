// Help, wrong use and exit statuses, as a shell sees them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { run } from "../../../src/cli/program.ts";
import { ioamctlUnprivileged, ioamctlWithoutAddons } from "./command-line.ts";

const COMMANDS = ["attach", "detach", "status", "dump", "flush", "monitor", "agent", "send"];
/** What wrong use is answered with. */
const ONE_LINE = /^ioamctl[a-z ]*: .*; see ioamctl.* --help\n$/;
const PRINTING = ["attach", "detach", "status", "dump", "flush", "monitor", "send"];

describe("--help", () => {
  it("lists the commands", async () => {
    const { code, stdout, stderr } = await ioamctlWithoutAddons(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  it.each(COMMANDS)("of %s has an example, --log-level, and loads nothing native", async (name) => {
    const { code, stdout, stderr } = await ioamctlWithoutAddons([name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`Examples?:\\n  ioamctl ${name}`));
    expect(stdout).toContain("--log-level");
    if (PRINTING.includes(name)) expect(stdout).toContain("--json");
  });

  it("is quiet when nobody reads it", async () => {
    const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, ["--import=tsx", main, "--help"]);
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    const [code] = await once(child, "close");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("goes with --version", async () => {
    const { code, stdout } = await ioamctlWithoutAddons(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("wrong use ends with status 2 and one line", () => {
  it.each([
    ["statu", /unknown command 'statu' \(Did you mean status\?\)/],
    ["dump --bogus", /unknown option '--bogus'/],
    ["dump extra", /too many arguments/],
    ["dump --sport 70000", /--sport.*70000.*from 0 to 65535/],
    ["dump --dport -1", /--dport/],
    ["dump --flow-id 0x1ffffffff", /--flow-id.*4294967295/],
    ["dump --namespace 65536", /--namespace.*65535/],
    ["dump --proto bogus", /--proto.*bogus.*udp/],
    ["dump --src 1.2", /--src.*such as 2001:db8::\/32/],
    ["dump --dst 2001:db8::/129", /--dst.*such as/],
    ["dump --sort bogus", /--sort.*packets/],
    ["dump --limit 0", /--limit/],
    ["dump --watch never", /--watch.*seconds/],
    ["dump --wide --json", /--wide.*--json/],
    ["dump --log-level loud", /--log-level.*debug/],
    ["attach", /-n, --interface/],
    ["attach -n", /argument missing/],
    ["attach -n x --direction up", /--direction.*ingress, egress, both/],
    ["attach -n x --hook xdp", /--hook.*auto, tcx, tc/],
    ["attach -n x --max-flows 0", /--max-flows.*from 1/],
    ["attach -n x --max-flows 1.5", /--max-flows/],
    ["detach", /either -n IFACE… or --all/],
    ["detach -n x --all", /either -n IFACE… or --all/],
    ["flush", /either --all or the filters/],
    ["flush --all --sport 1", /either --all or the filters/],
    ["monitor --timestamps gps", /--timestamps.*gps.*posix, ptp, ntp/],
    ["monitor --timestamps 70000=ptp", /--timestamps.*ID=FORMAT/],
    ["monitor --timestamps x=ptp", /--timestamps.*ID=FORMAT/],
    ["monitor --timestamps 123=", /--timestamps.*ID=FORMAT/],
    ["agent", /either -c CONFIG or -n IFACE…/],
    ["agent -n x", /--collector ADDRESS:PORT or --console/],
    ["agent -n x -c y", /cannot be used with/],
    ["agent -c y --console", /cannot be used with/],
    ["agent -n x --check", /cannot be used with/],
    ["agent -n x --collector 192.0.2.1", /--collector.*ADDRESS:PORT/],
    ["agent -n x --collector tls://192.0.2.1:4740", /--collector.*certificates.*-c CONFIG/],
    ["agent -n x --collector sctp://192.0.2.1:4739", /--collector.*tcp:\/\/ or udp:\/\//],
    ["agent -n x --collector tcp://192.0.2.1", /--collector.*ADDRESS:PORT/],
    ["send", /-f RECORDS\.yaml; --example/],
    ["send -f x", /-c CONFIG or --collector/],
    ["send -f x -c y --collector 192.0.2.1:4739", /cannot be used with/],
    ["send -f x --example", /cannot be used with/],
    ["send -f x -c y --timeout 10", /--timeout.*10.*duration/],
    ["send -f x --collector 192.0.2.1", /--collector.*ADDRESS:PORT/],
    ["agent -n x --collector 2001:db8::1:4739", /--collector.*\[2001:db8::1\]:4739/],
  ])("ioamctl %s", async (line, message) => {
    let stderr = "";
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      stderr += text;
      return true;
    });
    onTestFinished(() => write.mockRestore());
    expect(await run(line.split(" "))).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(ONE_LINE);
  });

  it.each(["dump --bogus", "agent -n x", "flush"])("ioamctl %s, in a process", async (line) => {
    const { code, stdout, stderr } = await ioamctlWithoutAddons(line.split(" "));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(ONE_LINE);
  });

  it("no command at all: the help", async () => {
    const { code, stdout, stderr } = await ioamctlWithoutAddons([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: ioamctl");
  });
});

describe("without root's rights", () => {
  it.each([
    "attach -n lo",
    "detach --all",
    "status --json",
    "dump",
    "flush --all",
    "monitor",
    "agent -n lo --console",
  ])("ioamctl %s ends with status 1 and one line", async (line) => {
    const { code, stdout, stderr } = await ioamctlUnprivileged(line.split(" "));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^ioamctl \w+: not permitted: .*sudo\n$/);
  });
});

describe("agent --check", () => {
  const check = async (text: string) => {
    const folder = await mkdtemp(join(tmpdir(), "ioamctl-check-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "agent.yaml");
    await writeFile(file, text);
    return { file, ...(await ioamctlUnprivileged(["agent", "-c", file, "--check"])) };
  };

  it("needs no rights and nothing native", async () => {
    const { code, stdout, stderr, file } = await check(
      "interfaces: [{ name: eth1 }]\noutputs: [{ console: {} }]\n",
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${file}: in order\n`,
      stderr: "",
    });
  });

  it("has a line with line and column for every mistake", async () => {
    const { code, stdout, stderr, file } = await check(
      "interfaces:\n  - { name: eth1, colour: red }\noutputs: [{ console: {} }]\nonExit: bye\n",
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      `ioamctl agent: ${file}:2:19: unknown key colour in interfaces[0]: known here: name, netns, direction`,
      `ioamctl agent: ${file}:4:9: onExit is "bye": give detach or keep`,
      "",
    ]);
  });

  it("says when there is no file", async () => {
    const { code, stderr } = await ioamctlUnprivileged(["agent", "-c", "/nonexistent", "--check"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^ioamctl agent: cannot read .*\/nonexistent: there is no such file: .*\n$/,
    );
  });

  it("is what starting does, too: one line for all mistakes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ioamctl-check-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "agent.yaml");
    await writeFile(file, "interfaces: [{ name: eth1 }]\nonExit: bye\ncolour: red\n");
    const { code, stderr } = await ioamctlWithoutAddons(["agent", "-c", file]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^ioamctl agent: .*:2:9: onExit .* \(and 1 more: --check lists all\)\n$/,
    );
  });
});
