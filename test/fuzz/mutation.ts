/** Where a number lies that others depend on: a length, a count, a type. Big-endian, 1 to 4 bytes. */
export interface Field {
  readonly offset: number;
  readonly bytes: number;
}

/** What a mutation can take out, repeat or exchange: a record, an attribute, a line. */
export interface Part {
  readonly offset: number;
  readonly bytes: number;
}

/** What is known of the structure of some bytes. */
export interface Layout {
  readonly fields: readonly Field[];
  readonly parts: readonly Part[];
}

/** Numbers choose modulo what there is, so that each mutation fits all bytes, and those of another run. */
export type Mutation =
  | readonly ["flip", at: number, bit: number]
  | readonly ["set", at: number, value: number]
  | readonly ["cut", length: number]
  | readonly ["remove", at: number, length: number]
  | readonly ["repeat", at: number, length: number]
  | readonly ["insert", at: number, hex: string]
  | readonly ["replace", hex: string]
  | readonly ["field", index: number, value: number]
  | readonly ["removePart", index: number]
  | readonly ["repeatPart", index: number, times: number]
  | readonly ["exchangeParts", index: number, other: number]
  | readonly ["splice", at: number, sample: number, from: number];

/** More than any datagram holds; a text is allowed to be as long. */
export const MOST_BYTES = 70_000;

/** The bytes with all mutations, one after the other. `bytes` stays as it is. */
export function mutate(
  bytes: Uint8Array,
  mutations: readonly Mutation[],
  samples: readonly Uint8Array[],
  layoutOf: (bytes: Uint8Array) => Layout,
): Uint8Array {
  let mutated = Uint8Array.from(bytes);
  for (const mutation of mutations)
    mutated = apply(mutated, mutation, samples, layoutOf).slice(0, MOST_BYTES);
  return mutated;
}

function apply(
  bytes: Uint8Array,
  mutation: Mutation,
  samples: readonly Uint8Array[],
  layoutOf: (bytes: Uint8Array) => Layout,
): Uint8Array {
  const at = (place: number): number => place % (bytes.length + 1);
  switch (mutation[0]) {
    case "flip":
    case "set":
      return changeByte(bytes, mutation);
    case "cut":
      return bytes.slice(0, at(mutation[1]));
    case "remove":
      return join(bytes.subarray(0, at(mutation[1])), bytes.subarray(at(mutation[1]) + mutation[2]));
    case "repeat": {
      const end = at(mutation[1]) + mutation[2];
      return join(bytes.subarray(0, end), bytes.subarray(at(mutation[1])));
    }
    case "insert": {
      const place = at(mutation[1]);
      return join(bytes.subarray(0, place), Buffer.from(mutation[2], "hex"), bytes.subarray(place));
    }
    case "replace":
      return Uint8Array.from(Buffer.from(mutation[1], "hex"));
    case "field":
      return changeField(bytes, pick(layoutOf(bytes).fields, mutation[1]), mutation[2]);
    case "removePart":
    case "repeatPart":
    case "exchangeParts":
      return changeParts(bytes, mutation, layoutOf(bytes).parts);
    case "splice": {
      const other = pick(samples, mutation[2]) ?? bytes;
      return join(bytes.subarray(0, at(mutation[1])), other.subarray(mutation[3] % (other.length + 1)));
    }
  }
}

function changeByte(
  bytes: Uint8Array,
  [kind, at, value]: Extract<Mutation, readonly ["flip" | "set", ...unknown[]]>,
) {
  if (bytes.length === 0) return bytes;
  const place = at % bytes.length;
  bytes[place] = kind === "flip" ? (bytes[place] ?? 0) ^ (1 << (value % 8)) : value;
  return bytes;
}

/** Small values stand for what breaks readers: the ends of the range, and what is beside the right one. */
function changeField(bytes: Uint8Array, field: Field | undefined, value: number): Uint8Array {
  if (field === undefined) return bytes;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const old = view.readUIntBE(field.offset, field.bytes);
  const most = 2 ** (field.bytes * 8) - 1;
  const rest = bytes.length - field.offset - field.bytes;
  const special = [
    0,
    1,
    most,
    old + 1,
    old - 1,
    old * 2,
    Math.floor(old / 2),
    old ^ 1,
    rest,
    rest + 1,
    most >>> 1,
  ];
  const chosen = special[value] ?? value;
  view.writeUIntBE(Math.min(Math.max(chosen, 0), most), field.offset, field.bytes);
  return bytes;
}

function changeParts(
  bytes: Uint8Array,
  mutation: Extract<Mutation, readonly ["removePart" | "repeatPart" | "exchangeParts", ...unknown[]]>,
  parts: readonly Part[],
): Uint8Array {
  const part = pick(parts, mutation[1]);
  if (part === undefined) return bytes;
  const [before, own, after] = cutOut(bytes, part);
  if (mutation[0] === "removePart") return join(before, after);
  if (mutation[0] === "repeatPart") {
    const copies = Math.min(mutation[2], Math.floor(MOST_BYTES / Math.max(1, own.length)));
    return join(before, own, ...Array.from({ length: copies }, () => own), after);
  }
  const other = pick(parts, mutation[2]);
  if (other === undefined || other.offset < part.offset + part.bytes) return bytes;
  const [between, others, rest] = cutOut(after, {
    ...other,
    offset: other.offset - part.offset - part.bytes,
  });
  return join(before, others, between, own, rest);
}

function cutOut(bytes: Uint8Array, { offset, bytes: length }: Part): [Uint8Array, Uint8Array, Uint8Array] {
  return [
    bytes.subarray(0, offset),
    bytes.subarray(offset, offset + length),
    bytes.subarray(offset + length),
  ];
}

export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
