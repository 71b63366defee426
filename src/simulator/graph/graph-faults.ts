import { requireDelayMs } from "../require-delay.ts";
import { optionError } from "../simulator-error.ts";
import type { GraphAction } from "./calls-request.ts";

/** What goes wrong with a request to the Graph API. Only `delay` lets the request through. */
export type GraphFaultKind =
  | { readonly kind: "refuse"; readonly status: number; readonly code: number; readonly details: string }
  /** HTTP 500 with Graph's "unknown error". */
  | { readonly kind: "server-error" }
  /** No answer until the client gives up. */
  | { readonly kind: "hang" }
  /** HTTP 200 with a body that is no JSON. */
  | { readonly kind: "garbage" }
  /** The connection is cut. */
  | { readonly kind: "disconnect" }
  | { readonly kind: "delay"; readonly ms: number };

/** A fault for the next `times` (default 1) requests with this action. */
export type GraphFault = GraphFaultKind & { readonly action: GraphAction; readonly times?: number };

interface PendingFault {
  readonly fault: GraphFault;
  remaining: number;
}

const MAX_PENDING = 1_000;

/** Faults that wait for their request, first in first out per action. */
export class GraphFaults {
  readonly #pending: PendingFault[] = [];

  /** @throws {RingbackError} `OPTION_INVALID`. */
  add(fault: GraphFault): void {
    const times = fault.times ?? 1;
    if (!Number.isInteger(times) || times < 1) {
      throw optionError("times", `times must be a whole number from 1, got ${times}`);
    }
    if (this.#pending.length >= MAX_PENDING) {
      throw optionError("faults", `at most ${MAX_PENDING} faults may wait`);
    }
    if (fault.kind === "delay") requireDelayMs("ms", fault.ms);
    if (
      fault.kind === "refuse" &&
      !(Number.isInteger(fault.status) && fault.status >= 400 && fault.status <= 599)
    ) {
      throw optionError("status", `status must be a whole number from 400 to 599, got ${fault.status}`);
    }
    this.#pending.push({ fault, remaining: times });
  }

  /** Takes the fault that is due for a request, null when there is none. */
  take(action: GraphAction): GraphFault | null {
    const index = this.#pending.findIndex((entry) => entry.fault.action === action);
    const entry = this.#pending[index];
    if (entry === undefined) return null;
    entry.remaining -= 1;
    if (entry.remaining === 0) this.#pending.splice(index, 1);
    return entry.fault;
  }

  clear(): void {
    this.#pending.length = 0;
  }
}
