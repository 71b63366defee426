import type { Layout, Mutation } from "./mutation.ts";

/** What is done to a subject: one of its samples, mutated, at a time. */
export interface FuzzStep {
  /** Which sample, modulo their number. */
  readonly sample: number;
  /** None: it is repeated as it is. */
  readonly mutations: readonly Mutation[];
  /** 0 to 255. What it chooses, such as the sender's address, is up to the target. */
  readonly choice: number;
  /** Time that passes before. */
  readonly waitMs: number;
}

/** A part under test in one case. */
export interface FuzzSubject {
  /** Valid inputs that mutations start from. May change; never empty. */
  readonly samples: readonly Uint8Array[];
  /** Takes a mutated sample. What it throws is a finding. The bytes are the subject's own. */
  take(bytes: Uint8Array, step: FuzzStep): void;
  /** What must hold after all steps; throws where it does not. */
  check(): void;
}

export interface FuzzTarget {
  readonly name: string;
  /** Of its samples. */
  readonly layoutOf: (bytes: Uint8Array) => Layout;
  /** A new subject, which knows nothing of other cases. */
  open(): FuzzSubject;
}

/** Says that a promise is broken. */
export function must(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Error(`broken promise: ${promise}`);
}
