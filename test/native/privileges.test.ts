// Without privileges: every operation says which it needs, and nothing crashes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createNetns } from "../lab/netns.ts";
import { run } from "../lab/process.ts";
import { LOADER, ROOT } from "./loader-object.ts";

/** Operations by name; each runs in a child that has become nobody, with what root opened before. */
const OPERATIONS: Record<string, [expression: string, code: string]> = {
  load: ["unloaded.load()", "BPF_PERMISSION"],
  createMap: [
    'L.createMap({ type: "hash", keySize: 4, valueSize: 4, maxEntries: 1 })',
    "BPF_PERMISSION",
  ],
  attachTc: ['L.attachTc(program, 1, "ingress")', "BPF_PERMISSION"],
  removeQdisc: ["L.removeQdisc(1)", ""],
  mapById: ["L.mapById(map.id)", "BPF_PERMISSION"],
  programById: ["L.programById(program.id)", "BPF_PERMISSION"],
  pin: ["map.pin(folder + '/map')", "BPF_PERMISSION"],
  openPinnedMap: ["L.openPinnedMap('/sys/fs/bpf/none')", "*"],
  mountBpffs: ["L.mountBpffs(folder)", "BPF_PERMISSION"],
  withNetnsOwn: ["L.withNetns(L.openNetns(), () => 1)", ""],
  queryTc: ['L.queryTc(1, "ingress")', ""],
  interfaceIndex: ['L.interfaceIndex("lo")', ""],
  deviceType: ['L.deviceType("lo")', ""],
  clockOffset: ["L.clockOffset()", ""],
  possibleCpus: ["L.possibleCpus()", ""],
};

test("as nobody", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ioamctl-nobody-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const operations = Object.entries(OPERATIONS).map(
    ([name, [expression]]) => `${JSON.stringify(name)}: () => ${expression}`,
  );
  const source = `
    import * as L from "./src/native/bpf-loader/index.ts";
    const folder = ${JSON.stringify(folder)};
    const unloaded = L.openObject(${JSON.stringify(LOADER)});
    const object = L.openObject(${JSON.stringify(LOADER)});
    object.load();
    const map = object.map("table");
    const program = object.program("count");
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
    const results = {};
    for (const [name, action] of Object.entries({ ${operations.join(",\n")} })) {
      try {
        action();
        results[name] = { code: "", message: "" };
      } catch (error) {
        results[name] = { code: error.code ?? error.name, message: error.message };
      }
    }
    console.log(JSON.stringify(results));
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  await using netns = await createNetns("nobody");
  const { stdout, stderr } = await netns.run(process.execPath, args, { cwd: ROOT });
  expect(stderr).toBe("");
  const results = JSON.parse(stdout) as Record<string, { code: string; message: string }>;
  const expected = Object.entries(OPERATIONS).filter(([, [, code]]) => code !== "*");
  expect(Object.fromEntries(expected.map(([name]) => [name, results[name]!.code]))).toEqual(
    Object.fromEntries(expected.map(([name, [, code]]) => [name, code])),
  );
  expect(results.load!.message).toBe(
    `cannot load ${LOADER}: needs root or CAP_BPF, CAP_NET_ADMIN (EPERM)`,
  );
  expect(Object.values(results).filter((r) => r.message.includes("\n"))).toEqual([]);
});

test("under setpriv, as a service without capabilities", async () => {
  const source = `
    import * as L from "./src/native/bpf-loader/index.ts";
    try {
      L.openObject(${JSON.stringify(LOADER)}).load();
    } catch (error) {
      console.log(error.code, L.errnoName(error));
    }
  `;
  const args = ["--bounding-set=-all", "--inh-caps=-all", process.execPath, "--import", "tsx"];
  const { stdout } = await run("setpriv", [...args, "--input-type=module", "-e", source], {
    cwd: ROOT,
  });
  expect(stdout).toBe("BPF_PERMISSION EPERM\n");
});
