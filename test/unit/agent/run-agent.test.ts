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
