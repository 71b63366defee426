import type { Attributes } from "./attributes.ts";
import type { SdpMedia } from "./sdp-document.ts";

/** A payload type of the `m=` line with its `a=rtpmap` and `a=fmtp`. */
export interface Codec {
  readonly payloadType: number;
  /** Lower case. */
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels: number;
  /** Value of `a=fmtp`, "" when there is none. */
  readonly parameters: string;
  /** Line of the `a=rtpmap`. */
  readonly line: number;
}

/** The payload types of an `m=` line, in order, without what is no payload type. */
export function payloadTypesOf(media: SdpMedia): readonly number[] {
  return media.formats.filter((format) => /^\d{1,3}$/.test(format) && Number(format) <= 127).map(Number);
}

/** The codecs in the order of the `m=` line. Payload types without an `a=rtpmap` are left out. */
export function codecsOf(media: SdpMedia, attributes: Attributes): readonly Codec[] {
  const parameters = new Map<number, string>();
  for (const { value } of attributes.get("fmtp") ?? []) {
    const parts = /^(\d{1,3}) +(\S.*)$/.exec(value);
    if (parts !== null) parameters.set(Number(parts[1]), parts[2] ?? "");
  }
  const codecs = new Map<number, Codec>();
  for (const { value, line } of attributes.get("rtpmap") ?? []) {
    const parts = /^(\d{1,3}) +([^/ ]+)\/(\d{1,9})(?:\/(\d{1,3}))?$/.exec(value);
    const payloadType = Number(parts?.[1] ?? Number.NaN);
    if (parts === null || codecs.has(payloadType)) continue;
    codecs.set(payloadType, {
      payloadType,
      name: (parts[2] ?? "").toLowerCase(),
      clockRateHz: Number(parts[3]),
      channels: Number(parts[4] ?? 1),
      parameters: parameters.get(payloadType) ?? "",
      line,
    });
  }
  return payloadTypesOf(media).flatMap((payloadType) => codecs.get(payloadType) ?? []);
}
