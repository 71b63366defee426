import { checkFlow, type FlowDocument } from "../../core/flow/index.ts";
import { RingbackError } from "../../errors.ts";
import type { FlowSpec } from "./flow-options.ts";

/** @throws {RingbackError} `FLOW_INVALID`. */
export function requireFlow(flow: FlowSpec): FlowDocument {
  const { document, mistakes } = checkFlow(flow);
  if (document !== null) return document;
  const [first] = mistakes;
  const where = first === undefined || first.path === "" ? "" : `${first.path}: `;
  const more = mistakes.length > 1 ? `, and ${mistakes.length - 1} more` : "";
  throw new RingbackError("FLOW_INVALID", `The flow has mistakes: ${where}${first?.message ?? ""}${more}.`, {
    details: { mistakes: mistakes.map(({ path, message }) => ({ path, message })) },
  });
}
