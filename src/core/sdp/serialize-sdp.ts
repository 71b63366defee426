import { RingbackError } from "../../errors.ts";
import type { SdpDocument, SdpLine, SdpMedia } from "./sdp-document.ts";

/**
 * Writes SDP with CRLF line ends; `parseSdp` of the result gives the document back.
 *
 * @throws {RingbackError} `OPTION_INVALID` for a document that cannot be written, such as a value with a line end.
 */
export function serializeSdp(document: SdpDocument): string {
  const [first] = document.session;
  if (first?.type !== "v" || first.value.trimEnd() !== "0") {
    throw unwritable("must begin with the line v=0");
  }
  const parts = [...document.session.map(serializeLine)];
  for (const media of document.media) {
    parts.push(serializeMediaLine(media), ...media.lines.map(serializeLine));
  }
  return `${parts.join("\r\n")}\r\n`;
}

function serializeLine(line: SdpLine): string {
  // RFC 8866 §9, byte-string: anything but NUL, CR and LF.
  if (!/^[A-Za-ln-z]$/.test(line.type) || /[\0\r\n]/.test(line.value)) {
    throw unwritable("holds a line that SDP has no form for");
  }
  return `${line.type}=${line.value}`;
}

function serializeMediaLine({ kind, port, portCount, profile, formats }: SdpMedia): string {
  const fields = [kind, profile, ...formats];
  const numbers = portCount === null ? [port] : [port, portCount];
  const isWritable =
    formats.length > 0 &&
    fields.every((field) => field !== "" && !/[\0\r\n ]/.test(field)) &&
    numbers.every((number) => Number.isInteger(number) && number >= 0 && number <= 99_999) &&
    port <= 65_535;
  if (!isWritable) throw unwritable("holds an m= line that SDP has no form for");
  return `m=${kind} ${numbers.join("/")} ${profile} ${formats.join(" ")}`;
}

function unwritable(problem: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", `The SDP document ${problem}.`, {
    details: { option: "document" },
  });
}
