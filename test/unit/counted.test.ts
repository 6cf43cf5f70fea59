// Numbers of things in messages: one thing is not things.
import { expect, it } from "vitest";
import { counted } from "../../src/counted.ts";

it.each([
  [0, "0 flows"],
  [1, "1 flow"],
  [2, "2 flows"],
  [-1, "-1 flows"],
  [0n, "0 flows"],
  [1n, "1 flow"],
  [2n ** 64n, "18446744073709551616 flows"],
])("%s", (count, text) => {
  expect(counted(count, "flow")).toBe(text);
});
