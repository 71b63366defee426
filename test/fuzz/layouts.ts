import type { Field, Layout, Part } from "./mutation.ts";

/** For bytes of which nothing is known. */
export function plainLayout(): Layout {
  return { fields: [], parts: [] };
}

export function stunLayout(bytes: Uint8Array): Layout {
  const fields: Field[] = fieldsAt(bytes, [0, 2], [2, 2], [4, 4]);
  const parts: Part[] = [];
  for (let offset = 20; offset + 4 <= bytes.length; ) {
    const valueBytes = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0);
    const partBytes = 4 + valueBytes + (-valueBytes & 3);
    fields.push(...fieldsAt(bytes, [offset, 2], [offset + 2, 2], [offset + 4, 4]));
    parts.push({ offset, bytes: Math.min(partBytes, bytes.length - offset) });
    offset += partBytes;
  }
  return { fields, parts };
}

export function rtpLayout(bytes: Uint8Array): Layout {
  const csrcs = 12 + ((bytes[0] ?? 0) & 15) * 4;
  const last = bytes.length - 1;
  return {
    fields: fieldsAt(bytes, [0, 1], [1, 1], [2, 2], [4, 4], [8, 4], [csrcs + 2, 2], [last, 1]),
    parts: partsOf(bytes, [0, 12, csrcs, csrcs + 4]),
  };
}

export function rtcpLayout(bytes: Uint8Array): Layout {
  const fields: Field[] = [];
  const starts: number[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; ) {
    starts.push(offset);
    fields.push(...fieldsAt(bytes, [offset, 1], [offset + 1, 1], [offset + 2, 2], [offset + 4, 4]));
    fields.push(...fieldsAt(bytes, [offset + 8, 1], [offset + 12, 4], [offset + 24, 4], [offset + 28, 4]));
    offset += 4 + ((((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0)) & 0xffff) * 4;
  }
  fields.push(...fieldsAt(bytes, [bytes.length - 1, 1]));
  return { fields, parts: partsOf(bytes, starts) };
}

/** Records, the messages in plain ones, and the vectors in those. */
export function dtlsLayout(bytes: Uint8Array): Layout {
  const fields: Field[] = [];
  const starts: number[] = [];
  for (let offset = 0; offset + 13 <= bytes.length; ) {
    const payloadBytes = ((bytes[offset + 11] ?? 0) << 8) | (bytes[offset + 12] ?? 0);
    const end = Math.min(offset + 13 + payloadBytes, bytes.length);
    starts.push(offset);
    fields.push(
      ...fieldsAt(bytes, [offset, 1], [offset + 1, 2], [offset + 3, 2], [offset + 7, 4], [offset + 11, 2]),
    );
    const isPlainHandshake = bytes[offset] === 22 && bytes[offset + 3] === 0 && bytes[offset + 4] === 0;
    if (isPlainHandshake) fields.push(...handshakeFields(bytes, offset + 13, end));
    offset += 13 + payloadBytes;
  }
  return { fields, parts: partsOf(bytes, starts) };
}

/** What the plaintext of a handshake record holds. */
export function handshakeLayout(bytes: Uint8Array): Layout {
  return { fields: handshakeFields(bytes, 0, bytes.length), parts: partsOf(bytes, [0, 12]) };
}

/** RFC 6347 §4.2.2: type, length, message_seq, fragment_offset, fragment_length. */
function handshakeFields(bytes: Uint8Array, start: number, end: number): Field[] {
  const body = start + 12;
  return [
    ...fieldsAt(bytes, [start, 1], [start + 1, 3], [start + 4, 2], [start + 6, 3], [start + 9, 3], [body, 2]),
    ...vectorFields(bytes, body, end),
  ];
}

/**
 * Numbers of 1 to 3 bytes that look like the length of what follows: up to the end, or up to where another such number
 * begins. TLS is made of nothing else.
 */
function vectorFields(bytes: Uint8Array, start: number, end: number): Field[] {
  const fields: Field[] = [];
  const ends = new Set([end]);
  for (let offset = end - 1; offset >= start; offset -= 1) {
    let value = 0;
    for (let size = 1; size <= 3 && offset + size <= end; size += 1) {
      value = value * 256 + (bytes[offset + size - 1] ?? 0);
      if (value === 0 || !ends.has(offset + size + value)) continue;
      fields.push({ offset, bytes: size });
      ends.add(offset);
    }
  }
  return fields;
}

/** DER: each element's length, found as the vectors are. */
export function derLayout(bytes: Uint8Array): Layout {
  const fields = vectorFields(bytes, 0, bytes.length);
  return { fields, parts: partsOf(bytes, fields.map(({ offset }) => offset).reverse()) };
}

const LINE_END = 10;
const SEPARATORS: ReadonlySet<number> = new Set(Buffer.from(" :=/;,"));

/** Lines, and the words in them. */
export function textLayout(bytes: Uint8Array): Layout {
  const lines = [0];
  const words = [0];
  bytes.forEach((byte, index) => {
    if (byte === LINE_END) lines.push(index + 1);
    else if (SEPARATORS.has(byte)) words.push(index, index + 1);
  });
  return { fields: [], parts: [...partsOf(bytes, lines), ...partsOf(bytes, words)] };
}

function fieldsAt(
  bytes: Uint8Array,
  ...places: readonly (readonly [offset: number, bytes: number])[]
): Field[] {
  return places
    .filter(([offset, length]) => offset >= 0 && offset + length <= bytes.length)
    .map(([offset, length]) => ({ offset, bytes: length }));
}

/** From each start to the next. */
function partsOf(bytes: Uint8Array, starts: readonly number[]): Part[] {
  const within = starts.filter((start) => start < bytes.length);
  return within.map((offset, index) => ({ offset, bytes: (within[index + 1] ?? bytes.length) - offset }));
}
