// How many CPUs a per-CPU map has values for.

import { addon } from "./addon.ts";
import { attempt } from "./failure.ts";

/** CPUs that this machine could ever have, whether or not they are online. */
export function possibleCpus(): number {
  return attempt("cannot count the CPUs", "BPF_FAILED", () => addon().possibleCpus());
}
