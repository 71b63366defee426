export { FlowBuilder, type FlowBuilderTarget, flow } from "./builder.ts";
export { checkFlow, checkFlowText, type FlowCheck, type FlowProblem } from "./check-flow.ts";
export { ANSWERING_VERBS } from "./graph-checks.ts";
export { FlowInterpreter } from "./interpreter.ts";
export type {
  FlowEndReason,
  FlowInput,
  FlowOutput,
  FlowRecording,
  FlowStepDetails,
  FlowStepRecord,
  FlowTime,
} from "./interpreter-types.ts";
export { flowJsonSchema } from "./json-schema.ts";
export { FLOW_LIMITS } from "./limits.ts";
export type { FlowOutcome } from "./outcomes.ts";
export { compileFlow } from "./program.ts";
export type {
  AnswerStep,
  DialStep,
  DialTarget,
  DtmfStep,
  FlowBranches,
  FlowCondition,
  FlowDocument,
  FlowHours,
  FlowInterruption,
  FlowSource,
  FlowSourceItem,
  FlowStep,
  FlowTagValue,
  FlowTarget,
  FlowTone,
  FlowVerb,
  GatherStep,
  HangupStep,
  PauseStep,
  PlayStep,
  RecordStep,
  RedirectStep,
  RejectStep,
  SayStep,
  StreamStep,
  TagStep,
  ToneStep,
} from "./types.ts";
