import type { FlowStepRecord, FlowTagValue } from "../../core/flow/index.ts";
import type { FlowCall, FlowEvent } from "./flow-options.ts";

export function flowEvent(
  { id, phoneNumberId, caller }: FlowCall,
  lastStep: FlowStepRecord | null,
  tags: Readonly<Record<string, FlowTagValue>>,
): FlowEvent {
  return {
    version: 1,
    call: { id, phoneNumberId, caller },
    step: lastStep === null ? null : facts(lastStep),
    tags,
  };
}

function facts(record: FlowStepRecord): FlowEvent["step"] {
  const { document: _document, index: _index, atMs: _atMs, durationMs: _durationMs, ...step } = record;
  return step;
}
