// The places that a configuration exports to, for made-up records.
import type { AgentConfig } from "../agent/config/agent-config.ts";
import {
  collectorDestination,
  collectorSettings,
  outputDestination,
} from "../agent/sinks/destinations.ts";
import type { SendTarget } from "./send-to.ts";

/** Every collector, whatever `exportMode` says, and every output that is a file. */
export function targetsOf({ collectors, outputs }: AgentConfig): SendTarget[] {
  return [
    ...collectors.map((collector) => ({
      destination: collectorDestination(collector),
      isRefusedLate: collector.transport === "udp" || collector.transport === "dtls",
      ...collectorSettings(collector),
    })),
    ...outputs.flatMap(({ file }) =>
      file === undefined ? [] : [{ destination: outputDestination(file), isRefusedLate: false }],
    ),
  ];
}
