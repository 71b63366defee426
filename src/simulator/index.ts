export { decodeAudioFile } from "./decode-audio-file.ts";
export { GRAPH_ACTIONS, type GraphAction } from "./graph/calls-request.ts";
export type { GraphFault, GraphFaultKind, GraphFaults } from "./graph/graph-faults.ts";
export type { OfferForm } from "./offer.ts";
export type { HeardPacket } from "./phone/audio-track.ts";
export type { DigitTiming, PressedDigit } from "./phone/digit-sender.ts";
export type { HearOptions } from "./phone/listening.ts";
export type {
  NetworkCounts,
  NetworkDirection,
  NetworkReport,
  PhoneNetwork,
} from "./phone/network-options.ts";
export type { PhoneMedia, PhoneMediaReport, PhoneVoice } from "./phone/phone-media.ts";
export type { PhoneQuiet } from "./phone/quiet-detector.ts";
export type { HeardSpan, PhoneSound } from "./phone/sound-detector.ts";
export type { PhoneSpeech, SpeechKind, SpeechPart, Spoken, SpokenPart } from "./phone/speech.ts";
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
