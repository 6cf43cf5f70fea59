// One line out of what libbpf and the kernel's verifier have to say.

const VERIFIER_LOG = /-- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/;

/** Lines of the verifier that say nothing about the reason. */
const ACCOUNTING =
  /^(processed \d+ insns|verification time|stack depth|max_states|mark_precise|\s*$)/;

/**
 * The reason why a load failed: the verifier's last word and whose program it is about, else
 * libbpf's first complaint; "" if the log has neither.
 */
export function summarize(log: string): string {
  const verifier = VERIFIER_LOG.exec(log)?.[1];
  if (verifier !== undefined) {
    const said = verifier.split("\n").filter((line) => !ACCOUNTING.test(line));
    const program = /prog '([^']+)'/.exec(log)?.[1];
    const last = said.at(-1)?.trim();
    if (last !== undefined) {
      return program === undefined
        ? `the verifier says "${last}"`
        : `the verifier says of program ${program}: "${last}"`;
    }
  }
  const complaint = log.split("\n").find((line) => line.startsWith("libbpf: "));
  return complaint === undefined ? "" : complaint.slice("libbpf: ".length).trim();
}
