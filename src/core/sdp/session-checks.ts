import { type Check, type Flaw, flawIf, ofAudio, quote } from "./check.ts";
import type { SdpLine } from "./sdp-document.ts";
import { SDP_LIMITS } from "./sdp-limits.ts";

/** Line ends of the text itself; the document does not have them any more. */
export function checkLineEnds(text: string): readonly Flaw[] {
  const lines = text.split("\n");
  const unended = lines.pop();
  const first = lines.findIndex((line) => !line.endsWith("\r") || line.endsWith("\r\r") || line === "\r");
  if (first !== -1) {
    const isBlank = lines[first] === "\r" || lines[first] === "";
    const what = isBlank ? "A blank line follows the last line." : "The line ends without the one CR LF.";
    return [{ line: first + 1, message: what }];
  }
  return flawIf(unended !== "", lines.length + 1, "The last line has no line end.");
}

export const checkSessionLines: Check = ({ document: { session } }) => {
  const [version, origin, name] = session;
  const timing = session.findIndex(({ type }) => type === "t");
  const attribute = session.findIndex(({ type }) => type === "a");
  if (version === undefined) return [];
  return [
    ...flawIf(!isOrigin(origin), origin?.line ?? 1, "The second line is not an o= line of six fields."),
    ...flawIf(!isSessionName(name), name?.line ?? 1, "The third line is not an s= line with a value."),
    ...flawIf(timing === -1, null, "There is no t= line."),
    ...flawIf(
      timing !== -1 && attribute !== -1 && attribute < timing,
      session[timing]?.line ?? null,
      "The t= line stands behind an a= line.",
    ),
  ];
};

export function isOrigin(line: SdpLine | undefined): boolean {
  return line?.type === "o" && /^\S+ \d{1,20} \d{1,20} IN IP[46] \S+ *$/.test(line.value);
}

export function isSessionName(line: SdpLine | undefined): boolean {
  // RFC 8866 §5.3: the value must not be empty; a single space or dash stands for no name.
  return line?.type === "s" && line.value !== "";
}

export const checkConnectionLine: Check = ofAudio(({ media }, { document }) => {
  const hasLine = [...document.session, ...media.lines].some(({ type }) => type === "c");
  return flawIf(!hasLine, media.line, "There is no c= line for the audio section.");
});

export const checkAudioPresent: Check = ({ audio }) => {
  return flawIf(audio === null, null, "There is no m=audio section.");
};

export const checkAudioOnly: Check = ofAudio(({ media }, { document }) => {
  return document.media
    .filter((section) => section !== media)
    .map(({ kind, line }) => ({ line, message: `A further section of kind ${quote(kind)} is there.` }));
});

export const checkNoTrickle: Check = ofAudio(({ session, attributes }) => {
  return [...(session.get("ice-options") ?? []), ...(attributes.get("ice-options") ?? [])]
    .filter(({ value }) => iceOptions(value).includes("trickle"))
    .map(({ line }) => ({ line, message: "The line announces trickle ICE." }));
});

/** RFC 8839 §5.6 puts spaces between the options; libdatachannel puts commas. */
export function iceOptions(value: string): readonly string[] {
  return value.split(/[ ,]/).filter((option) => option !== "");
}

export const checkNoIceLite: Check = ofAudio(({ iceLiteLines }) => {
  return iceLiteLines.map((line) => ({ line, message: "The line says that this side sends no ICE checks." }));
});

export const checkCandidatesUdp: Check = ofAudio(({ candidates }) => {
  return candidates
    .filter(({ value }) => value?.transport === "tcp")
    .map(({ line }) => ({ line, message: "The candidate is TCP." }));
});

export const checkCandidatesReadable: Check = ofAudio(({ candidates }) => {
  return [
    ...candidates
      .filter(({ value }) => value === null)
      .map(({ line }) => ({ line, message: "The candidate is malformed or names no IP address." })),
    ...candidates
      .slice(SDP_LIMITS.candidates)
      .filter(({ value }) => value !== null)
      .map(({ line }) => ({ line, message: `The candidate is beyond the first ${SDP_LIMITS.candidates}.` })),
  ];
});

export const checkBundleMid: Check = ofAudio(({ session, mid, media }) => {
  return (session.get("group") ?? [])
    .map(({ value, line }) => ({ words: value.split(" ").filter((word) => word !== ""), line }))
    .filter(({ words }) => words[0] === "BUNDLE")
    .filter(({ words }) => words.length !== 2 || words[1] !== mid?.value)
    .map(({ line }) => ({ line, message: `The group is not the one section of line ${media.line}.` }));
});
