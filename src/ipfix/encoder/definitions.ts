// The local variables of a generated encoder: each defined once, in an order that can be executed.

/** Two 32-bit halves of an integer, each the name of a variable; the high one may be "0". */
export interface Halves {
  readonly high: string;
  readonly low: string;
}

/** Variables by name; what several fields have in common is loaded and computed once. */
export class Definitions {
  /** One a variable. */
  readonly statements: string[] = [];
  readonly #defined = new Set<string>();

  /** Defines a variable by an expression, unless it is there already, and gives its name. */
  define(name: string, expression: string): string {
    if (!this.#defined.has(name)) {
      this.#defined.add(name);
      this.statements.push(`const ${name} = ${expression};`);
    }
    return name;
  }

  /** Defines a variable with a name of its own. */
  defineNew(expression: string): string {
    return this.define(`v${this.#defined.size}`, expression);
  }
}
