import fc from "fast-check";
import { expect, test } from "vitest";
import { buildMessage, type HandshakeFragment, readFragment, splitMessage } from "./handshake-message.ts";
import { Reassembler } from "./reassembler.ts";

const TYPE = 11;

function body(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff);
}

function fragment(
  sequence: number,
  whole: Uint8Array,
  start = 0,
  end = whole.length,
  type = TYPE,
): HandshakeFragment {
  return { type, sequence, messageLength: whole.length, offset: start, body: whole.subarray(start, end) };
}

function takeAll(reassembler: Reassembler): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let message = reassembler.peek(); message !== null; message = reassembler.peek()) {
    bodies.push(message.body);
    reassembler.accept();
  }
  return bodies;
}

test("messages cut anywhere, in any order, overlapping and repeated, come out whole and in order", () => {
  const cuts = fc.array(fc.tuple(fc.nat(4), fc.nat(299), fc.integer({ min: 1, max: 300 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(
      cuts,
      fc.integer({ min: 1, max: 120 }),
      fc.infiniteStream(fc.nat()),
      (extra, size, choice) => {
        const bodies = [body(300, 1), body(1, 2), body(0, 3), body(150, 4), body(299, 5)];
        const pieces = bodies.flatMap((whole, sequence) =>
          splitMessage(buildMessage(TYPE, sequence, whole), size).map((raw) => readFragment(raw, 0)!),
        );
        for (const [sequence, start, length] of extra) {
          const whole = bodies[sequence]!;
          if (start < whole.length)
            pieces.push(fragment(sequence, whole, start, Math.min(whole.length, start + length)));
        }
        const reassembler = new Reassembler();
        const out: Uint8Array[] = [];
        while (pieces.length > 0) {
          const [piece] = pieces.splice(choice.next().value % pieces.length, 1);
          reassembler.add(piece!);
          out.push(...takeAll(reassembler));
        }
        expect(out).toEqual(bodies);
      },
    ),
  );
});

test("a message keeps its header as if it had come in one fragment", () => {
  const reassembler = new Reassembler();
  const whole = body(100);
  reassembler.add(fragment(0, whole, 60));
  reassembler.add(fragment(0, whole, 0, 60));
  expect(reassembler.peek()?.raw).toEqual(buildMessage(TYPE, 0, whole));
});

test("messages that were taken, or that are too far ahead or too long, are refused", () => {
  const reassembler = new Reassembler();
  expect(reassembler.add(fragment(0, body(3)))).toBe(true);
  reassembler.accept();
  expect(reassembler.add(fragment(0, body(3)))).toBe(false);
  expect(reassembler.add(fragment(9, body(3)))).toBe(false);
  expect(reassembler.add(fragment(8, body(3)))).toBe(true);
  expect(reassembler.add(fragment(1, body(32_769)))).toBe(false);
  expect(reassembler.add({ ...fragment(1, body(3)), body: new Uint8Array(0) })).toBe(false);
});

test("of two messages with one number that differ, the later one counts", () => {
  const reassembler = new Reassembler();
  reassembler.add(fragment(0, body(50), 0, 20));
  reassembler.add(fragment(0, body(30)));
  expect(takeAll(reassembler)).toEqual([body(30)]);
});

test("a forged part does not spoil the true message that comes whole after it", () => {
  const reassembler = new Reassembler();
  reassembler.add(fragment(0, body(50, 9), 10, 20));
  reassembler.add(fragment(0, body(50)));
  expect(takeAll(reassembler)).toEqual([body(50)]);
});

test("a message that is discarded makes place for another one", () => {
  const reassembler = new Reassembler();
  reassembler.add(fragment(0, body(30, 1)));
  reassembler.discard();
  expect(reassembler.peek()).toBeNull();
  reassembler.add(fragment(0, body(30, 2)));
  expect(takeAll(reassembler)).toEqual([body(30, 2)]);
});

test("forged claims ahead cannot keep the next message out", () => {
  const reassembler = new Reassembler();
  for (let sequence = 1; sequence < 8; sequence++) reassembler.add(fragment(sequence, body(32_768), 0, 1));
  expect(reassembler.add(fragment(0, body(4_000)))).toBe(true);
  expect(takeAll(reassembler)).toEqual([body(4_000)]);
});

test("all messages of a handshake together have a limit", () => {
  const reassembler = new Reassembler();
  expect(reassembler.add(fragment(0, body(32_768)))).toBe(true);
  reassembler.accept();
  expect(reassembler.add(fragment(1, body(32_768)))).toBe(true);
  reassembler.accept();
  expect(reassembler.add(fragment(2, body(1)))).toBe(false);
  expect(reassembler.add(fragment(2, body(0)))).toBe(true);
});

test("the numbering may start anywhere, and what was kept beyond stays", () => {
  const reassembler = new Reassembler();
  reassembler.add(fragment(2, body(5, 2)));
  reassembler.startAt(1);
  reassembler.add(fragment(1, body(5, 1)));
  expect(takeAll(reassembler)).toEqual([body(5, 1), body(5, 2)]);
});
