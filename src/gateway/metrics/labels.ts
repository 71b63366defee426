import type { CallAction } from "../../core/call/types.ts";
import type { RingbackError } from "../../errors.ts";
import { BoundedLabel } from "./bounded-label.ts";

/** Numbers that one gateway answers are few; an account of hundreds has its first ones apart. */
const MAX_NUMBERS = 100;
/** Meta has some fifty codes about calls. */
const MAX_GRAPH_CODES = 100;

/** Values of labels that come from outside, each set bounded. Nothing personal is among them. */
export class Labels {
  readonly #numbers = new BoundedLabel(MAX_NUMBERS);
  readonly #codes = new BoundedLabel(MAX_GRAPH_CODES);

  /** The id that Meta gave the business number; it is not the number. */
  phoneNumberId(id: string): string {
    return this.#numbers.of(id);
  }

  graphError(action: CallAction, error: RingbackError): { action: string; code: string; graph_code: string } {
    const details = error.details as { readonly graphCode?: number | null };
    const graphCode = details.graphCode ?? null;
    return {
      action,
      code: error.code,
      graph_code: graphCode === null ? "none" : this.#codes.of(`${graphCode}`),
    };
  }
}

/** As events and the API have it: `caller_hangup`. */
export function snakeCase(word: string): string {
  return word.replaceAll("-", "_");
}

/** `status:ringing` and its like are `status`; what nobody knows is `unknown`. */
export function eventLabel(event: string): string {
  const kind = event.split(":")[0] ?? "";
  return KNOWN_EVENTS.has(kind) ? kind : "unknown";
}

const KNOWN_EVENTS: ReadonlySet<string> = new Set(["connect", "terminate", "status"]);
