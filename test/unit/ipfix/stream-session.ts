// Run as a process of its own: a transport session that sends, and then has nothing more to do.
import { tcpDestination, tlsDestination } from "../../../src/ipfix/index.ts";
import { sampleMessages } from "../../lab/sample-messages.ts";
import { connected, sendAll } from "../../lab/transport-session.ts";

export interface StreamSessionTask {
  protocol: "tcp" | "tls";
  /** Of the destination. */
  options: unknown;
  /** Records to send. */
  records: number;
  /** Whether to wait for the session's end. */
  wait?: boolean;
}

const { protocol, options, records, wait } = JSON.parse(process.argv[2]!) as StreamSessionTask;
const destination =
  protocol === "tcp" ? tcpDestination(options as never) : tlsDestination(options as never);
try {
  const transport = await connected(destination);
  console.log("connected");
  void sendAll(transport, sampleMessages(records, 1000).messages).then((octets) =>
    console.log(`sent ${octets}`),
  );
  if (wait) {
    const alive = setInterval(() => {}, 1000);
    console.log(`ended ${(await transport.ended)?.code}`);
    clearInterval(alive);
  }
} catch (error) {
  const { code, message } = error as { code: string; message: string };
  console.log(`failed ${JSON.stringify({ code, message })}`);
}
