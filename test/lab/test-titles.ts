// Which tests a test file has: read from its source, without running any of it.
import { parseAst } from "vitest/node";

/** The titles of the describe blocks around a test, then its own, as they stand in the source. */
export type TestTitle = readonly string[];

type Node = { type: string; [key: string]: unknown };

const GROUPS = new Set(["describe", "suite"]);
const TESTS = new Set(["it", "test"]);

/**
 * All tests of a file's source. Those of `each` are there once, with their placeholders; of a title
 * that is put together the expressions stand as written. Throws on what does not parse.
 */
export function testTitles(source: string): TestTitle[] {
  const found: TestTitle[] = [];
  const walk = (value: unknown, groups: TestTitle): void => {
    if (Array.isArray(value)) {
      for (const one of value) walk(one, groups);
    } else if (isNode(value)) {
      const call = titledCall(value, source);
      if (call !== undefined && TESTS.has(call.name)) found.push([...groups, call.title]);
      const inside = call !== undefined && GROUPS.has(call.name) ? [...groups, call.title] : groups;
      for (const child of Object.values(value)) walk(child, inside);
    }
  };
  walk(parseAst(source, { lang: "ts" }), []);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

// `it("…")`, `it.each([…])("…")`, `it.skipIf(…).each`…`("…")`: what is called is named at its root.
function titledCall(node: Node, source: string): { name: string; title: string } | undefined {
  if (node.type !== "CallExpression") return undefined;
  const title = text((node.arguments as Node[])[0], source);
  if (title === undefined) return undefined;
  let root = node.callee as Node;
  while (root.type !== "Identifier") {
    const next = root.callee ?? root.tag ?? (root.computed === true ? undefined : root.object);
    if (!isNode(next)) return undefined;
    root = next;
  }
  return { name: String(root.name), title };
}

function text(node: Node | undefined, source: string): string | undefined {
  if (node?.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node?.type === "TemplateLiteral") {
    return source.slice(Number(node.start) + 1, Number(node.end) - 1);
  }
  if (node?.type === "BinaryExpression" && node.operator === "+") {
    const left = text(node.left as Node, source);
    const right = text(node.right as Node, source);
    return left === undefined || right === undefined ? undefined : left + right;
  }
  return undefined;
}
