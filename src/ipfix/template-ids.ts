// Template ids for templates that bring none (RFC 7011 section 3.4.1).
import { IoamctlError } from "../errors.ts";

const FIRST = 256;
const LAST = 65535;

/**
 * Gives out template ids, each once: no id is used again, as collectors may still know an earlier
 * template by it. Make one for each observation domain of a transport session.
 */
export class TemplateIds {
  readonly #taken = new Set<number>();
  readonly #byName = new Map<string, number>();
  #next = FIRST;

  /** Ids that are given out from somewhere else, such as a configuration. Throws as `take` does. */
  constructor(taken: Iterable<number> = []) {
    for (const id of taken) this.take(id);
  }

  /** Keeps an id for a template that brings its own. Throws TEMPLATE_INVALID for one that is taken or no id. */
  take(id: number): void {
    if (!Number.isInteger(id) || id < FIRST || id > LAST) {
      throw invalid(`${id} is no template id: give one within ${FIRST}–${LAST}`);
    }
    if (this.#taken.has(id)) throw invalid(`template id ${id} is taken: give another`);
    this.#taken.add(id);
  }

  /** The lowest id above all that this gave before. Throws TEMPLATE_INVALID when there is none left. */
  next(): number {
    while (this.#taken.has(this.#next)) this.#next++;
    if (this.#next > LAST) {
      throw invalid(
        `no template id up to ${LAST} is left: use fewer templates, or another session`,
      );
    }
    this.#taken.add(this.#next);
    return this.#next++;
  }

  /** The id of the template with that name: a new one at first, then always the same. */
  of(name: string): number {
    let id = this.#byName.get(name);
    if (id === undefined) {
      id = this.next();
      this.#byName.set(name, id);
    }
    return id;
  }
}

function invalid(why: string): IoamctlError {
  return new IoamctlError("TEMPLATE_INVALID", why);
}
