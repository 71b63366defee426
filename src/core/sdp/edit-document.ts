import { splitAttribute } from "./attributes.ts";
import type { AudioFacts } from "./audio-facts.ts";
import type { Mended } from "./mended.ts";
import type { SdpDocument, SdpLine, SdpMedia } from "./sdp-document.ts";
import { isOrigin, isSessionName } from "./session-checks.ts";

function mapLines(
  document: SdpDocument,
  map: (lines: readonly SdpLine[]) => readonly SdpLine[],
): SdpDocument {
  const media = document.media.map((section) => ({ ...section, lines: map(section.lines) }));
  return { session: map(document.session), media };
}

export function dropLines(document: SdpDocument, lines: ReadonlySet<number>): SdpDocument {
  return mapLines(document, (all) => all.filter(({ line }) => !lines.has(line)));
}

/** Replaces the value of the line with this number; 0 is none. */
export function replaceLine(document: SdpDocument, number: number, value: string): SdpDocument {
  if (number === 0) return document;
  return mapLines(document, (all) => all.map((line) => (line.line === number ? { ...line, value } : line)));
}

export function replaceAudio(document: SdpDocument, audio: SdpMedia, replacement: SdpMedia): SdpDocument {
  return { ...document, media: document.media.map((media) => (media === audio ? replacement : media)) };
}

export function addAttribute(document: SdpDocument, audio: SdpMedia, value: string): SdpDocument {
  return replaceAudio(document, audio, { ...audio, lines: [...audio.lines, { type: "a", value, line: 0 }] });
}

/** RFC 8866 §9: only i= may stand between m= and c=. */
export function insertConnectionLine(document: SdpDocument, audio: SdpMedia): SdpDocument {
  const titles = audio.lines.filter(({ type }) => type === "i");
  const others = audio.lines.filter(({ type }) => type !== "i");
  const line: SdpLine = { type: "c", value: "IN IP4 0.0.0.0", line: 0 };
  return replaceAudio(document, audio, { ...audio, lines: [...titles, line, ...others] });
}

/** Puts v=, o=, s=, then the other lines, t= and the attributes, adding what is missing (RFC 8866 §9). */
export function orderSession(document: SdpDocument): SdpDocument {
  const version = document.session[0] ?? { type: "v", value: "0", line: 0 };
  const origin = document.session.find(isOrigin) ?? { type: "o", value: "- 1 1 IN IP4 0.0.0.0", line: 0 };
  const name = document.session.find(isSessionName) ?? { type: "s", value: "-", line: 0 };
  const others = document.session.filter(({ type }) => !"vosta".includes(type));
  const timings = document.session.filter(({ type }) => type === "t");
  const attributes = document.session.filter(({ type }) => type === "a");
  if (timings.length === 0) timings.push({ type: "t", value: "0 0", line: 0 });
  return { ...document, session: [version, origin, name, ...others, ...timings, ...attributes] };
}

/** Drops payload types from the `m=` line, and their a=rtpmap, a=fmtp and a=rtcp-fb lines. The last one stays. */
export function dropPayloadTypes(
  document: SdpDocument,
  audio: AudioFacts,
  dropped: ReadonlySet<number>,
): Mended {
  const { media } = audio;
  const formats = media.formats.filter((format) => !dropped.has(Number(format)));
  if (formats.length === 0 || dropped.size === 0) return { document, changes: [] };
  const lines = media.lines.filter((line) => {
    const { name, value } = splitAttribute(line.value);
    const isOfPayloadType = line.type === "a" && /^(?:rtpmap|fmtp|rtcp-fb)$/.test(name) && /^\d/.test(value);
    return !isOfPayloadType || !dropped.has(Number.parseInt(value, 10));
  });
  return {
    document: replaceAudio(document, media, { ...media, formats, lines }),
    changes: [...dropped].map((payloadType) => ({
      line: media.line,
      action: "dropped",
      message: `Payload type ${payloadType} and its attributes.`,
    })),
  };
}
