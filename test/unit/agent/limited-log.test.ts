// Trouble that repeats: logged once a minute, the rest counted.
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LimitedLog } from "../../../src/agent/limited-log.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("logs each trouble at most once a minute and says how often it was kept back", () => {
  const lines: { msg: string; repeated?: number }[] = [];
  const log = new LimitedLog(pino({}, { write: (line) => void lines.push(JSON.parse(line)) }));
  for (let i = 0; i < 5; i++) log.warn("a", {}, "trouble a");
  log.warn("b", {}, "trouble b");
  vi.advanceTimersByTime(60_000);
  log.warn("a", {}, "trouble a");
  log.warn("b", {}, "trouble b");
  expect(lines.map(({ msg, repeated }) => [msg, repeated])).toEqual([
    ["trouble a", undefined],
    ["trouble b", undefined],
    ["trouble a", 4],
    ["trouble b", undefined],
  ]);
});
