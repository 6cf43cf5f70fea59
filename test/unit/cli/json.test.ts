// JSON as scripts read it.
import { expect, it } from "vitest";
import { jsonArrayLines, toIndentedJson, toJson } from "../../../src/cli/json.ts";
import { flow } from "./flow.ts";

it("has exact integers: numbers up to 2^53, strings above", () => {
  const values = [0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 53n), -(2n ** 63n), 7];
  expect(toJson(values)).toBe(
    '[0,9007199254740992,"9007199254740993","18446744073709551615",-9007199254740992,"-9223372036854775808",7]',
  );
});

it("leaves out what is not known", () => {
  const { ioamFlowId, ...others } = JSON.parse(toJson({ ...flow(), ioamFlowId: undefined }));
  expect(ioamFlowId).toBeUndefined();
  expect(others.packetDeltaCount).toBe(1707);
});

it.each([
  ["nothing", []],
  ["one", [1]],
  ["several", [{ a: 1n }, { b: [2] }, "three"]],
])("prints %s as one array", (_name, values) => {
  const lines = [...jsonArrayLines(values)];
  expect(JSON.parse(lines.join("\n"))).toEqual(JSON.parse(toIndentedJson(values)));
  expect(lines.length).toBe(values.length === 0 ? 1 : values.length + 2);
});
