import { checkFlowText, FLOW_LIMITS, type FlowDocument } from "../../core/flow/index.ts";
import { guardedRequest, type RequestPolicy } from "../../platform/outgoing-request.ts";
import type { FetchSteps } from "./flow-options.ts";

const JSON_TYPE = "application/json";

/** Asks servers for steps, as the policy allows. */
export function createStepFetcher(policy: RequestPolicy): FetchSteps {
  return async (url, event, signal) => {
    const { bytes } = await guardedRequest(
      {
        url,
        headers: { "content-type": JSON_TYPE },
        body: JSON.stringify(event),
        accept: [JSON_TYPE],
        maxBytes: FLOW_LIMITS.documentBytes,
        signal,
      },
      policy,
    );
    return new TextDecoder().decode(bytes);
  };
}

/** Steps of an answer, none, or what is wrong with it. */
export type ReadSteps =
  | { readonly document: FlowDocument; readonly steps: number }
  | { readonly document: null; readonly reason: string | null };

export function readSteps(text: string): ReadSteps {
  if (text.trim() === "") return { document: null, reason: null };
  const { document, stepCount, mistakes } = checkFlowText(text);
  if (document !== null) return { document, steps: stepCount };
  const [first] = mistakes;
  const more = mistakes.length > 1 ? ` (and ${mistakes.length - 1} more)` : "";
  const what =
    first === undefined || first.path === "" ? (first?.message ?? "") : `${first.path}: ${first.message}`;
  return { document: null, reason: `The answer is no flow: ${what}${more}.` };
}
