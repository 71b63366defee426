export { decodeAudioFile } from "./decode-audio-file.ts";
export { GRAPH_ACTIONS, type GraphAction } from "./graph/calls-request.ts";
export type { GraphFault, GraphFaultKind, GraphFaults } from "./graph/graph-faults.ts";
export type { OfferForm } from "./offer.ts";
export type { PhoneMedia, PhoneMediaReport, PhoneVoice } from "./phone/phone-media.ts";
export type {
  GraphRequestRecord,
  PhoneCall,
  PhoneCallEndedBy,
  PhoneCallPhase,
  PhoneCallReport,
  PhoneCallTimeline,
} from "./phone-call.ts";
export type { CallWebhookOptions, PhoneCallOptions, ScriptedDigits } from "./phone-call-options.ts";
export { createSimulator, type Simulator } from "./simulator.ts";
export type { SimulatedNumber, SimulatorOptions, TimerOptions, WebhookOptions } from "./simulator-options.ts";
