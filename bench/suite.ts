// What is said of a suite's figures on the page: their meaning, the aims, and why one is missed.

import type { Machine } from "./machine.ts";
import type { Result } from "./result.ts";

/** What a suite writes into bench/results. */
export interface Report {
  machine: Machine;
  /** ISO 8601. */
  date: string;
  results: Result[];
}

/** The figures of every suite measured so far, by name; one that is not there makes text disappear. */
export type Figures = (name: string) => number;

export interface Figure {
  name: string;
  meaning: string;
  /** The figure is to be at most this. */
  aim?: number | ((figures: Figures) => number);
  /** The figure is to be at least this. */
  atLeast?: number;
  /** The same on the control. */
  control?: string;
}

/** Why figures miss their aim: shown when one of them does. */
export interface Reason {
  names: string[];
  text(figures: Figures): string;
}

/** Figures with a table of their own. */
export interface Part {
  title: string;
  intro: string;
  figures: Figure[];
}

export interface Suite extends Part {
  name: string;
  /** Below the first table, each under its title. */
  parts?: Part[];
  reasons: Reason[];
  /** Measured in a process of its own. */
  run(): Promise<Result[]>;
}

/** As few digits as say something. */
export function digits(value: number): string {
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 2;
  return value.toFixed(places);
}
