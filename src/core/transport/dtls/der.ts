import { civilDate } from "../../civil-date.ts";

/** Writes the part of DER (ITU-T X.690) that a certificate needs. Every function gives one whole element. */

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_CONTEXT = 0xa0;

export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return element(SEQUENCE, elements);
}

/** A SET of one element: DER would have more of them sorted. */
export function derSet(only: Uint8Array): Uint8Array {
  return element(SET, [only]);
}

/** `[tag] EXPLICIT`. @param tag Below 31. */
export function derExplicit(tag: number, inner: Uint8Array): Uint8Array {
  return element(EXPLICIT_CONTEXT | tag, [inner]);
}

/** An unsigned number, big-endian, without superfluous leading zeros. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  // X.690 §8.3.3: two's complement, so that a number with the top bit set needs a zero before it.
  const needsZero = (digits[0] ?? 0x80) >= 0x80;
  return element(INTEGER, needsZero ? [Uint8Array.of(0), digits] : [digits]);
}

/** @param dotted As "1.2.840.10045.4.3.2". */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  // X.690 §8.19.4: the first two arcs share a subidentifier.
  const bytes = [first * 40 + second, ...rest].flatMap(base128);
  return element(OBJECT_IDENTIFIER, [Uint8Array.from(bytes)]);
}

export function derUtf8String(text: string): Uint8Array {
  return element(UTF8_STRING, [Buffer.from(text, "utf8")]);
}

export function derBitString(bytes: Uint8Array): Uint8Array {
  const unusedBits = Uint8Array.of(0);
  return element(BIT_STRING, [unusedBits, bytes]);
}

/** RFC 5280 §4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050. @param wallMs Since the Unix epoch, not before 1970. */
export function derTime(wallMs: number): Uint8Array {
  const { year, month, day } = civilDate(Math.floor(wallMs / 86_400_000));
  const secondOfDay = Math.floor(wallMs / 1000) % 86_400;
  const time = [secondOfDay / 3600, (secondOfDay / 60) % 60, secondOfDay % 60];
  const digits = [month, day, ...time].map((part) => String(Math.floor(part)).padStart(2, "0")).join("");
  return year < 2050
    ? element(UTC_TIME, [Buffer.from(`${String(year).slice(2)}${digits}Z`)])
    : element(GENERALIZED_TIME, [Buffer.from(`${year}${digits}Z`)]);
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function element(tag: number, contents: readonly Uint8Array[]): Uint8Array {
  const lengthBytes = contents.reduce((total, content) => total + content.length, 0);
  return Buffer.concat([Uint8Array.of(tag, ...derLength(lengthBytes)), ...contents]);
}

/** X.690 §10.1: the shortest form. */
function derLength(lengthBytes: number): number[] {
  if (lengthBytes < 0x80) return [lengthBytes];
  const digits: number[] = [];
  for (let rest = lengthBytes; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return [0x80 | digits.length, ...digits];
}
