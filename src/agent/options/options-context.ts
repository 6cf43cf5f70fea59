// What all options records of the agent have in common.
import { type ElementRegistry, Template } from "../../ipfix/index.ts";

/** Where options records are sent, and how often. */
export interface OptionsContext {
  readonly registry: ElementRegistry;
  /** Observation domain of the messages that they are sent in. */
  readonly observationDomainId: number;
  /** Seconds. */
  readonly period: number;
}

/** An options template: the elements of its scope, then the others. An element may have a length. */
export function optionsTemplate(
  registry: ElementRegistry,
  id: number,
  scope: readonly (string | readonly [name: string, length: number])[],
  others: readonly (string | readonly [name: string, length: number])[],
): Template {
  const fields = [...scope, ...others].map((field) => {
    if (typeof field === "string") return { element: registry.get(field) };
    return { element: registry.get(field[0]), length: field[1] };
  });
  return new Template(id, fields, scope.length);
}
