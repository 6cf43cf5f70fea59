// Compiles a template and a record layout into a function that encodes one record.
import { IoamctlError } from "../../errors.ts";
import type { ExportContext } from "../field-source.ts";
import type { RecordLayout } from "../record-layout.ts";
import type { Template } from "../template.ts";
import { FIRST_VALUE, fillContext } from "./context-array.ts";
import { doubleHigh, toDouble, toSingle } from "./float-bits.ts";
import { SourceCompiler, type Tail } from "./source-compiler.ts";
import { planStores } from "./stores.ts";
import type { WireOctet } from "./wire-octet.ts";

/**
 * Encodes the record that begins at 32-bit word `at` of `words`, from octet `position` of the
 * message buffer on. Nothing is checked beyond what JavaScript checks itself.
 */
export type EncodeRecord = (words: Int32Array, at: number, position: number) => void;

/** An encoder that writes into one message buffer. */
export interface BoundEncoder {
  readonly encode: EncodeRecord;
  /** Sets the context of the records to come. Throws CONTEXT_INVALID when it lacks a value. */
  setContext(context: ExportContext): void;
}

/** A compiled template. */
export interface Encoder {
  readonly template: Template;
  /** An encoder into `view`: make one for each buffer, and keep it. */
  bind(view: DataView): BoundEncoder;
  /** What follows the octets that the encoder writes, when the template's last field varies. */
  readonly tail: Tail | undefined;
  /** The text of the generated function's body. */
  readonly source: string;
}

let bound = 0;

/**
 * Compiles a template for records of that layout. The generated code copies words from the record to
 * the message, swaps octets where the record is native, and makes no object. Throws SOURCE_INVALID
 * when a field's source does not fit the layout or the element.
 */
export function compileEncoder(template: Template, layout: RecordLayout): Encoder {
  const compiler = new SourceCompiler(layout);
  const octets: WireOctet[] = [];
  let tail: Tail | undefined;
  for (const { element, length, source } of template.fields) {
    try {
      if (source === undefined) {
        throw new IoamctlError(
          "SOURCE_INVALID",
          "it has no source: say where its value is in a record",
        );
      }
      if (source.kind === "tail") {
        tail = compiler.tail(source);
        continue;
      }
      octets.push(...compiler.octets(source, element.type, length));
    } catch (error) {
      if (!(error instanceof IoamctlError)) throw error;
      const where = `template ${template.id}, ${element.name}`;
      throw new IoamctlError(error.code, `${where}: ${error.message}`, { cause: error });
    }
  }
  // All loads before all stores: the engine then checks the arrays' shapes once, not at each access.
  const body = [...compiler.definitions.statements, ...planStores(octets, "view", "position")].join(
    "\n",
  );
  return { template, tail, source: body, bind: (view) => bind(body, view, compiler.contextValues) };
}

// Buffer and context are constants of a function of its own, as fast as JavaScript gets: the serial
// number keeps the engine from sharing one function's code among several buffers.
function bind(body: string, view: DataView, values: ReadonlyMap<string, number>): BoundEncoder {
  const context = new Float64Array(FIRST_VALUE + 2 * values.size);
  const text = `return function encodeRecord${bound++}(words, at, position) {\n${body}\n}`;
  // Every name and number in the text was made here: none of it comes from the caller's strings.
  const make = new Function("view", "context", "toSingle", "toDouble", "doubleHigh", text);
  return {
    encode: make(view, context, toSingle, toDouble, doubleHigh),
    setContext: (given) => fillContext(context, values, given),
  };
}
