// A YAML text that knows where each of its values stands.

import type { Document, Pair } from "yaml";
import { isCollection, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from "yaml";

/** A place in a text, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with the text itself. */
export interface SyntaxProblem extends Position {
  readonly message: string;
}

const NEEDS_QUOTES = ': text that begins with [ or { or contains ": " needs quotes';

type Path = readonly PropertyKey[];

/** A parsed YAML document. */
export class YamlSource {
  /** Mappings, lists and scalars as plain values; null when there were problems. */
  readonly value: unknown;
  readonly problems: readonly SyntaxProblem[];
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter = new LineCounter();

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const problems = [...this.#document.errors, ...this.#document.warnings].map((error) => ({
      ...this.#at(error.pos[0]),
      message: error.message + (error.code === "UNEXPECTED_TOKEN" ? NEEDS_QUOTES : ""),
    }));
    let value: unknown = null;
    if (problems.length === 0) {
      try {
        value = this.#document.toJS();
      } catch (error) {
        // Aliases that would expand without bound.
        problems.push({ line: 1, column: 1, message: (error as Error).message });
      }
    }
    this.value = value;
    this.problems = problems;
  }

  /** Where the value at `path` stands, or the nearest thing around it that was written. */
  positionOf(path: Path): Position {
    for (let length = path.length; length > 0; length--) {
      const node = this.#nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return this.#at(node.range[0]);
    }
    return { line: 1, column: 1 };
  }

  /** Where the key of the mapping at `path` stands. */
  positionOfKey(path: Path, key: string): Position {
    const map = this.#nodeAt(path);
    if (isMap(map)) {
      const pair = map.items.find((item) => keyOf(item) === key);
      if (isPair(pair) && isNode(pair.key) && pair.key.range) return this.#at(pair.key.range[0]);
    }
    return this.positionOf(path);
  }

  /** The value at `path` as it was written, when it is a scalar. */
  textOf(path: Path): string | undefined {
    const node = this.#nodeAt(path);
    return isScalar(node) ? (node.source ?? String(node.value)) : undefined;
  }

  /** Whether something stands at `path`. */
  has(path: Path): boolean {
    return this.#nodeAt(path) !== undefined;
  }

  #nodeAt(path: Path): unknown {
    let node: unknown = this.#document.contents ?? undefined;
    for (const step of path) {
      if (!isCollection(node)) return undefined;
      // A key that is a number in the text is a string in the value.
      node = node.get(step, true) ?? node.get(Number(step), true);
    }
    return node;
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
