// Run as a process of its own by file.test.ts: writes numbered messages to files until it is killed.
import { fileDestination } from "../../../src/ipfix/index.ts";
import { NumberWriter } from "../../lab/numbered-messages.ts";

const [path, rotate, messages] = process.argv.slice(2) as [string, string, string];
const writer = new NumberWriter(fileDestination({ path, rotate: Number(rotate) }));
for (let i = 0; i < Number(messages); i++) {
  await writer.write(1 + ((i * 7919) % 60), 3);
  if (i % 10 === 0) console.log(writer.next);
}
