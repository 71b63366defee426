import { RingbackError } from "../errors.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What one direction of a network does to datagrams. Probabilities are 0 to 1, each datagram by itself. */
export interface LinkOptions {
  /** Probability that a datagram is lost. Default 0. */
  readonly loss?: number;
  /** Probability that a datagram arrives twice. Default 0. */
  readonly duplication?: number;
  /** Probability that a datagram is held back for `reorderMs` more, so that later ones overtake it. Default 0. */
  readonly reordering?: number;
  /** How long a datagram is held back when it is. Default 50. */
  readonly reorderMs?: number;
  /** Least time that a datagram takes. Default 1; with 0 two parties that answer each other at once never end. */
  readonly delayMs?: number;
  /** Time that comes on top, different for each datagram; they may overtake each other. Default 0. */
  readonly jitterMs?: number;
  /**
   * How the jitter is spread: `uniform` between 0 and `jitterMs`, or `exponential` with `jitterMs` as its mean: mostly little,
   * now and then much, up to ten times that. Default `uniform`.
   */
  readonly jitterShape?: "uniform" | "exponential";
}

/** `LinkOptions` with its defaults. @internal */
export type LinkSettings = Required<LinkOptions>;

/** What chance has in store for one datagram. @internal */
export interface DatagramFate {
  readonly isLost: boolean;
  readonly isDuplicated: boolean;
  readonly isReordered: boolean;
  readonly delayMs: number;
  readonly copyDelayMs: number;
}

const MAX_EXPONENTIAL = 10;

/** @internal */
export function toSettings(options: LinkOptions): LinkSettings {
  for (const option of ["loss", "duplication", "reordering"] as const) {
    requireRange(option, options[option] ?? 0, 1);
  }
  for (const option of ["reorderMs", "delayMs", "jitterMs"] as const) {
    requireRange(option, options[option] ?? 0, Number.MAX_SAFE_INTEGER);
  }
  return {
    loss: options.loss ?? 0,
    duplication: options.duplication ?? 0,
    reordering: options.reordering ?? 0,
    reorderMs: options.reorderMs ?? 50,
    delayMs: options.delayMs ?? 1,
    jitterMs: options.jitterMs ?? 0,
    jitterShape: options.jitterShape ?? "uniform",
  };
}

/** Draws the same number of random numbers for every datagram: to change one setting changes nothing else. @internal */
export function decideFate(link: LinkSettings, random: SeededRandom): DatagramFate {
  const isLost = random.fraction() < link.loss;
  const isDuplicated = random.fraction() < link.duplication;
  const isReordered = random.fraction() < link.reordering;
  const delayMs = link.delayMs + jitterOf(link, random.fraction()) + (isReordered ? link.reorderMs : 0);
  const copyDelayMs = link.delayMs + jitterOf(link, random.fraction());
  return { isLost, isDuplicated, isReordered, delayMs, copyDelayMs };
}

function jitterOf(link: LinkSettings, fraction: number): number {
  if (link.jitterShape === "uniform") return fraction * link.jitterMs;
  return Math.min(-Math.log(1 - fraction), MAX_EXPONENTIAL) * link.jitterMs;
}

function requireRange(option: string, value: number, max: number): void {
  if (value >= 0 && value <= max) return;
  const range = max === 1 ? "0–1" : "0 or more";
  throw new RingbackError("OPTION_INVALID", `${option} must be ${range}, got ${value}`, {
    details: { option },
  });
}
