// A YAML text that knows where each of its values stands.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from "yaml";

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
  #aliased: ReadonlyMap<Alias, Node> | undefined;

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

  /**
   * Where the value at `path` stands, or the nearest thing around it that was written: an alias itself,
   * what lies in what it stands for there.
   */
  positionOf(path: Path): Position {
    for (let length = path.length; length > 0; length--) {
      const node = this.#nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return this.#at(node.range[0]);
    }
    return { line: 1, column: 1 };
  }

  /** Where the key of the mapping at `path` stands. */
  positionOfKey(path: Path, key: string): Position {
    const map = this.#meant(this.#nodeAt(path));
    if (isMap(map)) {
      const pair = this.#pairOf(map.items, key);
      if (isPair(pair) && isNode(pair.key) && pair.key.range) return this.#at(pair.key.range[0]);
    }
    return this.positionOf(path);
  }

  /** The value at `path`, or what an alias there stands for, as it was written, when it is a scalar. */
  textOf(path: Path): string | undefined {
    const node = this.#meant(this.#nodeAt(path));
    return isScalar(node) ? (node.source ?? String(node.value)) : undefined;
  }

  /** Whether something stands at `path`. */
  has(path: Path): boolean {
    return this.#nodeAt(path) !== undefined;
  }

  #nodeAt(path: Path): unknown {
    let node: unknown = this.#document.contents ?? undefined;
    for (const step of path) {
      const around = this.#meant(node);
      if (isMap(around)) node = this.#pairOf(around.items, String(step))?.value ?? undefined;
      else if (isSeq(around)) node = around.get(Number(step), true);
      else return undefined;
    }
    return node;
  }

  /** A key that is a number in the text is a string in the value. */
  #pairOf(pairs: readonly Pair[], key: string): Pair | undefined {
    return pairs.find((pair) => {
      const node = this.#meant(pair.key);
      return (isScalar(node) ? String(node.value ?? "") : String(node)) === key;
    });
  }

  /** A node, or that which an alias stands for: the last before it with that anchor. */
  #meant(node: unknown): unknown {
    if (!isAlias(node)) return node;
    this.#aliased ??= aliasedIn(this.#document);
    return this.#aliased.get(node);
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** All at once: to resolve one alias is to walk through the document. */
function aliasedIn(document: Document.Parsed): Map<Alias, Node> {
  const anchored = new Map<string, Node>();
  const aliased = new Map<Alias, Node>();
  visit(document, {
    Alias(_, alias) {
      const node = anchored.get(alias.source);
      if (node !== undefined) aliased.set(alias, node);
    },
    Value(_, node) {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return aliased;
}
