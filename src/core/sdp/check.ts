import { type AudioFacts, collectAudioFacts } from "./audio-facts.ts";
import type { SdpDocument } from "./sdp-document.ts";
import type { SdpRole } from "./sdp-rule.ts";

/** What the checks look at. */
export interface Subject {
  readonly document: SdpDocument;
  readonly as: SdpRole;
  /** Null when there is no audio section. */
  readonly audio: AudioFacts | null;
  /** The offer that this text answers; null when none was given. */
  readonly offer: AudioFacts | null;
}

/** One breach of a rule. */
export interface Flaw {
  readonly line: number | null;
  /** What is wrong at this place. */
  readonly message: string;
}

export type Check = (subject: Subject) => readonly Flaw[];

export function createSubject(document: SdpDocument, as: SdpRole, offer: AudioFacts | null): Subject {
  return { document, as, audio: collectAudioFacts(document), offer };
}

/** A check of the audio section, which has nothing to say when there is none. */
export function ofAudio(check: (audio: AudioFacts, subject: Subject) => readonly Flaw[]): Check {
  return (subject) => (subject.audio === null ? [] : check(subject.audio, subject));
}

/** A check of the audio section against the offer's, which has nothing to say when either is not there. */
export function ofAnswer(
  check: (audio: AudioFacts, offer: AudioFacts, subject: Subject) => readonly Flaw[],
): Check {
  return ofAudio((audio, subject) => {
    return subject.offer === null || subject.as === "offer" ? [] : check(audio, subject.offer, subject);
  });
}

export function flawIf(isFlaw: boolean, line: number | null, message: string): readonly Flaw[] {
  return isFlaw ? [{ line, message }] : [];
}

/** A short plain token for a message; anything longer or stranger is not repeated. */
export function quote(token: string): string {
  return /^[A-Za-z0-9./_+-]{1,32}$/.test(token) ? `"${token}"` : "something unreadable";
}
