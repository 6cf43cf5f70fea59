// What an agent makes of signals. The agent itself is made up.
import { pino } from "pino";
import { afterEach, expect, it, vi } from "vitest";
import { Agent } from "../../../src/agent/agent.ts";
import type { AgentConfig } from "../../../src/agent/config/agent-config.ts";
import { runAgent } from "../../../src/agent/run-agent.ts";

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const before = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const [signal, kept] of before) {
    for (const listener of process.listeners(signal)) {
      if (!kept.includes(listener)) process.off(signal, listener);
    }
  }
});

it("reloads after its start when SIGHUP comes during it", async () => {
  const config = { meter: { activeTimeout: 1000 } } as AgentConfig;
  const agent = { reload: vi.fn(async () => {}), stop: async () => true };
  let started: (agent: Agent) => void = () => {};
  const start = new Promise<Agent>((resolve) => {
    started = resolve;
  });
  vi.spyOn(Agent, "start").mockReturnValue(start);
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });

  const surroundings = { log } as Parameters<typeof runAgent>[0];
  const running = runAgent({ ...surroundings, config, reread: () => config });
  expect(process.emit("SIGHUP")).toBe(true);
  expect(agent.reload).not.toHaveBeenCalled();
  started(agent as unknown as Agent);
  await vi.waitFor(() => expect(lines.join("")).toContain("configuration reloaded"));
  expect(agent.reload).toHaveBeenCalledExactlyOnceWith(config);
  process.emit("SIGTERM");
  await running;
});

it("takes a signal that comes twice at once for one, a later one for its end", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const config = { meter: { activeTimeout: 1000 } } as AgentConfig;
  let stopped: (isExported: boolean) => void = () => {};
  const stop = new Promise<boolean>((resolve) => {
    stopped = resolve;
  });
  const agent = { reload: async () => {}, stop: () => stop };
  vi.spyOn(Agent, "start").mockResolvedValue(agent as unknown as Agent);
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const log = pino({ level: "silent" });
  const surroundings = { log } as Parameters<typeof runAgent>[0];
  const running = runAgent({ ...surroundings, config });

  process.emit("SIGTERM");
  vi.advanceTimersByTime(400);
  process.emit("SIGTERM");
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  process.emit("SIGTERM");
  expect(exit).toHaveBeenCalledExactlyOnceWith(1);
  stopped(true);
  await running;
});
