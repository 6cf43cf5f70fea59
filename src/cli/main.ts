// The command line's entry: runs one command and leaves its exit status.
import { isWritten, surviveClosedPipes } from "./output.ts";
import { run } from "./program.ts";

/** How long a reader of an agent that has ended may stand still, milliseconds. */
const PATIENCE = 1000;

surviveClosedPipes();
process.exitCode = await run(process.argv.slice(2));
if (!(await isWritten(PATIENCE))) {
  process.stderr.write("ioamctl: standard output is not read: the end of it is lost\n");
  process.exit();
}
