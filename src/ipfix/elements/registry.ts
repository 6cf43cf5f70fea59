// Information elements by name and by number.
import { IoamctlError } from "../../errors.ts";
import { type AbstractDataType, NATURAL_LENGTH } from "./data-type.ts";
import { IANA_TABLE } from "./iana.ts";
import type { InformationElement, Semantics } from "./information-element.ts";

let iana: readonly InformationElement[] | undefined;

/** Every element that IANA has registered, in the order of their ids. */
export function ianaElements(): readonly InformationElement[] {
  iana ??= IANA_TABLE.trimEnd().split("\n").map(parseLine);
  return iana;
}

function parseLine(line: string): InformationElement {
  const [id, name, type, semantics, units, status] = line.split(" ");
  return {
    name,
    id: Number(id),
    enterprise: 0,
    type: type as AbstractDataType,
    length: NATURAL_LENGTH[type as AbstractDataType],
    semantics: semantics as Semantics,
    units: units === "-" ? undefined : units.replaceAll("_", " "),
    status: status as InformationElement["status"],
  };
}

/** A set of information elements: IANA's, and those of enterprises added to it. */
export class ElementRegistry implements Iterable<InformationElement> {
  readonly #byName = new Map<string, InformationElement>();
  readonly #byNumber = new Map<string, InformationElement>();

  /** IANA's elements and `more`. Throws ELEMENT_DUPLICATE when a name or number is taken. */
  constructor(more: Iterable<InformationElement> = []) {
    for (const element of ianaElements()) this.add(element);
    for (const element of more) this.add(element);
  }

  /** Adds an element. Throws ELEMENT_DUPLICATE when its name or number is taken. */
  add(element: InformationElement): void {
    const number = `${element.enterprise}/${element.id}`;
    if (this.#byName.has(element.name) || this.#byNumber.has(number)) {
      throw new IoamctlError(
        "ELEMENT_DUPLICATE",
        `information element ${element.name} (${number}) is there already: choose another name, id or enterprise number`,
      );
    }
    this.#byName.set(element.name, element);
    this.#byNumber.set(number, element);
  }

  /** The element of that name. Throws ELEMENT_UNKNOWN. */
  get(name: string): InformationElement {
    const element = this.#byName.get(name);
    if (element === undefined) {
      throw new IoamctlError(
        "ELEMENT_UNKNOWN",
        `no information element is called ${name}: see IANA's IPFIX registry for the names`,
      );
    }
    return element;
  }

  /** The element with that id, of IANA (enterprise 0) or of an enterprise. */
  find(id: number, enterprise = 0): InformationElement | undefined {
    return this.#byNumber.get(`${enterprise}/${id}`);
  }

  [Symbol.iterator](): IterableIterator<InformationElement> {
    return this.#byName.values();
  }
}
