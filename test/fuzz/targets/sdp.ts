import {
  type AudioDescription,
  buildAnswer,
  conformSdp,
  type LocalAudio,
  lintSdp,
  parseSdp,
  readAudioDescription,
  serializeSdp,
} from "../../../src/core/sdp/index.ts";
import { type ErrorCode, RingbackError } from "../../../src/errors.ts";
import { readSample, sampleNames } from "../../fixtures/sdp/samples.ts";
import { textLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";

const SAMPLES = sampleNames.map((name) => Uint8Array.from(Buffer.from(readSample(name))));
const OFFER = readSample("live-uic-offer-by-meta-20261002");

const LOCAL: Omit<LocalAudio, "setup"> = {
  iceUfrag: "abcd",
  icePwd: "abcdefghijklmnopqrstuv",
  sha256Fingerprint: Array.from({ length: 32 }, () => "AB").join(":"),
  candidates: [],
  ssrc: 1,
  cname: "fuzz",
  sessionId: "1",
};

export const SDP: FuzzTarget = {
  name: "sdp",
  layoutOf: textLayout,
  open() {
    return {
      samples: SAMPLES,
      take(bytes, { choice }) {
        const text = Buffer.from(bytes).toString();
        const as = choice % 2 === 0 ? "offer" : "answer";
        readBack(text);
        const findings = lintSdp(text, { as, ...(choice % 4 === 1 ? { offer: OFFER } : {}) });
        must(
          findings.every(({ message }) => message.length > 0),
          "a finding says what is wrong",
        );
        const description = allowing(["SDP_INVALID", "SDP_UNUSABLE"], () =>
          readAudioDescription(text, { as }),
        );
        if (description !== null) answer(description);
        conform(text, as);
      },
      check() {},
    };
  },
};

function readBack(text: string): void {
  const document = allowing(["SDP_INVALID"], () => parseSdp(text));
  if (document === null) return;
  // The longest lines of all may be longer once they are written with one space between their words.
  const written = allowing(["OPTION_INVALID"], () => serializeSdp(document));
  if (written === null) return;
  const again = allowing(["SDP_INVALID"], () => parseSdp(written));
  if (again !== null) must(serializeSdp(again) === written, "what is written reads as it was");
}

function answer(offer: AudioDescription): void {
  const setup = offer.setup === "active" ? "passive" : "active";
  const text = allowing(["OPTION_INVALID"], () => buildAnswer(offer, { ...LOCAL, setup }));
  if (text === null) return;
  const faults = lintSdp(text, { as: "answer" }).filter(({ severity }) => severity === "error");
  must(faults.length === 0 || faults.every(({ rule }) => rule !== "readable"), "our answer can be read");
}

function conform(text: string, as: "offer" | "answer"): void {
  const conformed = allowing(["SDP_INVALID", "SDP_UNUSABLE"], () => conformSdp(text, { as }));
  if (conformed === null) return;
  const again = conformSdp(conformed.sdp, { as });
  must(again.sdp === conformed.sdp && again.changes.length === 0, "what conforms needs no change");
  const faults = lintSdp(conformed.sdp, { as }).filter(({ severity }) => severity === "error");
  must(faults.length === 0, "what conforms breaks no rule");
}

/** Null where it throws one of these errors; any other is a finding. */
function allowing<T>(codes: readonly ErrorCode[], action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof RingbackError && codes.includes(error.code)) return null;
    throw error;
  }
}
