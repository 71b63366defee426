import { RingbackError } from "../../errors.ts";
import type { SdpDocument, SdpLine, SdpMedia } from "./sdp-document.ts";
import { SDP_LIMITS } from "./sdp-limits.ts";

/** Why a text cannot be read as SDP. */
export type SdpInvalidReason =
  | "empty"
  | "too-large"
  | "too-many-lines"
  | "line-too-long"
  | "too-many-media-sections"
  | "escaped-line-ends"
  | "no-version"
  | "not-a-line"
  | "control-character"
  | "bad-media-line";

const reasonTexts: Record<SdpInvalidReason, string> = {
  empty: "the SDP is empty",
  "too-large": `the SDP has more than ${SDP_LIMITS.textChars} characters`,
  "too-many-lines": `the SDP has more than ${SDP_LIMITS.lines} lines`,
  "line-too-long": `a line has more than ${SDP_LIMITS.lineChars} characters`,
  "too-many-media-sections": `the SDP has more than ${SDP_LIMITS.mediaSections} media sections`,
  "escaped-line-ends":
    "the line ends are the characters \\r\\n and not the bytes; decode the JSON string first",
  "no-version": "the first line must be v=0",
  "not-a-line": "a line must be one letter, an equals sign and a value",
  "control-character": "a line holds a NUL or a bare carriage return",
  "bad-media-line": "an m= line must be: kind, port, profile, formats, with one space between",
};

function invalid(reason: SdpInvalidReason, line: number | null): RingbackError<"SDP_INVALID"> {
  const place = line === null ? "" : ` (line ${line})`;
  return new RingbackError("SDP_INVALID", `Unreadable SDP: ${reasonTexts[reason]}${place}.`, {
    details: { line, reason },
  });
}

/**
 * Reads SDP into its lines. Tolerant: LF or CRLF, a missing last line end, unknown lines and attributes.
 *
 * @throws {RingbackError} `SDP_INVALID` with the line and an {@link SdpInvalidReason} for what cannot be read or
 * is larger than {@link SDP_LIMITS}; nothing else for any string.
 * @see RFC 8866 §9 for the grammar.
 */
export function parseSdp(text: string): SdpDocument {
  const texts = splitLines(text);
  if ((texts[0] ?? "").trimEnd() !== "v=0") {
    throw invalid((texts[0] ?? "").includes("\\n") ? "escaped-line-ends" : "no-version", 1);
  }
  const session: SdpLine[] = [];
  const media: (SdpMedia & { readonly lines: SdpLine[] })[] = [];
  for (const [index, lineText] of texts.entries()) {
    const line = parseLine(lineText, index + 1);
    if (line.type === "m") {
      if (media.length === SDP_LIMITS.mediaSections) throw invalid("too-many-media-sections", line.line);
      media.push(parseMedia(line));
    } else {
      (media.at(-1)?.lines ?? session).push(line);
    }
  }
  return { session, media };
}

function splitLines(text: string): string[] {
  if (text.length > SDP_LIMITS.textChars) throw invalid("too-large", null);
  // A transport in text mode may have doubled the carriage returns: all of them belong to the line end.
  const lines = text.split("\n").map(withoutCarriageReturns);
  while (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw invalid("empty", null);
  if (lines.length > SDP_LIMITS.lines) throw invalid("too-many-lines", SDP_LIMITS.lines + 1);
  return lines;
}

function withoutCarriageReturns(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === "\r") end -= 1;
  return text.slice(0, end);
}

function parseLine(text: string, line: number): SdpLine {
  if (text.length > SDP_LIMITS.lineChars) throw invalid("line-too-long", line);
  if (!/^[A-Za-z]=/.test(text)) throw invalid("not-a-line", line);
  if (text.includes("\0") || text.includes("\r")) throw invalid("control-character", line);
  return { type: text.slice(0, 1), value: text.slice(2), line };
}

function parseMedia(line: SdpLine): SdpMedia & { readonly lines: SdpLine[] } {
  const [kind, portText = "", profile, ...formats] = line.value.split(" ").filter((field) => field !== "");
  const ports = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(portText);
  const port = Number(ports?.[1] ?? Number.NaN);
  if (kind === undefined || profile === undefined || formats.length === 0 || !(port <= 65_535)) {
    throw invalid("bad-media-line", line.line);
  }
  const portCount = ports?.[2] === undefined ? null : Number(ports[2]);
  return { kind, port, portCount, profile, formats, lines: [], line: line.line };
}
