// The command line's entry: runs one command and leaves its exit status.
import { surviveClosedPipes } from "./output.ts";
import { run } from "./program.ts";

surviveClosedPipes();
process.exitCode = await run(process.argv.slice(2));
