// Kernels without TCX, and what others have attached to the same interface.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  attachTcx,
  interfaceIndex,
  openNetns,
  openObject,
  programById,
  queryTcx,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { run } from "../lab/process.ts";
import { testProgram } from "../lab/programs.ts";
import type { RouterLab } from "../lab/router.ts";
import { CommandLab } from "./command-lab.ts";
import { type PrivateHost, withoutTcx } from "./private-host.ts";
import type { AttachmentJson } from "./status-json.ts";

let commands: CommandLab;
let host: PrivateHost;
let lab: RouterLab;
let name: string;
let netns: string[];

beforeAll(async () => {
  commands = await CommandLab.start();
  ({ host, lab, name, netns } = commands);
});

afterAll(() => commands?.close());

async function filters(device: string, direction: "ingress" | "egress"): Promise<string> {
  return (await run("tc", ["-n", name, "filter", "show", "dev", device, direction])).stdout;
}

test("without TCX, clsact: status says so, and the qdisc goes with the last direction", async () => {
  commands.cleanAfterFailure();
  const options = ["-n", "in0", ...netns, "--direction", "both", "--max-flows", "8", "--json"];
  const { code, stdout, stderr } = await host.ioamctl(["attach", ...options], { by: withoutTcx });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect((JSON.parse(stdout) as AttachmentJson[]).map((one) => one.hook)).toEqual(["tc", "tc"]);
  const { attachments } = await commands.status();
  expect(attachments.map(({ hook, direction }) => [hook, direction])).toEqual([
    ["tc", "ingress"],
    ["tc", "egress"],
  ]);
  expect(await filters("in0", "egress")).toContain(`id ${attachments[1]!.programId}`);
  await commands.send(1, 2);
  await commands.counted(2);
  await host.print("detach", "--all", ...netns);
  await host.clean(lab.router);
});

test("a foreign clsact qdisc and its filters survive", async () => {
  const tc = (...args: string[]) => run("tc", ["-n", name, ...args]);
  await tc("qdisc", "add", "dev", "in0", "clsact");
  onTestFinished(async () => {
    await tc("qdisc", "del", "dev", "in0", "clsact");
  });
  const filter = "filter add dev in0 ingress protocol ipv6 prio 10 u32 match u32 0 0";
  await tc(...filter.split(" "));
  const before = await filters("in0", "ingress");
  await host.print("attach", "-n", "in0", "out0", "--hook", "tc", ...netns, "--max-flows", "8");
  expect((await filters("in0", "ingress")).length).toBeGreaterThan(before.length);
  await host.print("detach", "--all", ...netns);
  expect(await filters("in0", "ingress")).toBe(before);
  expect((await tc("qdisc", "show", "dev", "in0")).stdout).toContain("clsact");
  expect((await tc("qdisc", "show", "dev", "out0")).stdout).not.toContain("clsact");
});

test("a foreign TCX program goes on", async () => {
  commands.cleanAfterFailure();
  const object = openObject(testProgram("loader"));
  const handle = openNetns(name);
  onTestFinished(() => {
    object.close();
    handle.close();
  });
  object.load();
  const foreign = object.program("count");
  const [ifindex, link] = withNetns(handle, () => {
    const index = interfaceIndex("in0");
    return [index, attachTcx(foreign, index, "ingress")] as const;
  });
  onTestFinished(() => link.close());
  const attached = () => withNetns(handle, () => queryTcx(ifindex, "ingress"));
  const before = attached();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  expect(attached().map(({ programId }) => programById(programId).name)).toEqual([
    "count",
    "ioam_ingress",
  ]);
  await commands.send(1);
  await commands.counted(1);
  await host.print("detach", "--all", ...netns);
  expect(attached()).toEqual(before);
  link.close();
});
