import fc from "fast-check";
import { expect, test } from "vitest";
import { readRecord, writeRecord } from "./record.ts";
import { isPlausible, RecordLayer } from "./record-layer.ts";

const RECORD = { contentType: 22, version: 0xfefd, epoch: 0, sequence: 0, payload: new Uint8Array(1) };

test("a record that was written reads back the same, wherever it lies", () => {
  const record = fc.record({
    contentType: fc.nat(255),
    epoch: fc.nat(0xffff),
    sequence: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    payload: fc.uint8Array({ maxLength: 100 }),
  });
  fc.assert(
    fc.property(
      record,
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 20 }),
      (written, before, after) => {
        const datagram = Uint8Array.from([...before, ...writeRecord(written), ...after]);
        expect(readRecord(datagram, before.length)).toEqual({ ...written, version: 0xfefd });
      },
    ),
  );
});

test("a record that is cut short is none", () => {
  const whole = writeRecord({ ...RECORD, payload: new Uint8Array(30) });
  for (let length = 0; length < whole.length; length++)
    expect(readRecord(whole.subarray(0, length), 0)).toBeNull();
});

test.each([
  ["DTLS 1.2", {}, true],
  ["DTLS 1.0 in plaintext", { version: 0xfeff }, true],
  ["DTLS 1.0 under keys", { version: 0xfeff, epoch: 1 }, false],
  ["TLS 1.2", { version: 0x0303 }, false],
  ["nothing in it", { payload: new Uint8Array(0) }, false],
  ["as much as there may be", { payload: new Uint8Array(16_384 + 24) }, true],
  ["more than there may be", { payload: new Uint8Array(16_384 + 25) }, false],
])("a record with %s", (_, change, isTaken) => {
  expect(isPlausible({ ...RECORD, ...change })).toBe(isTaken);
});

test("each record has the next number, and none are made under keys that are not there", () => {
  const records = new RecordLayer();
  const sequenceOf = () => readRecord(records.seal(0, 22, new Uint8Array(1))!, 0)?.sequence;
  expect([sequenceOf(), sequenceOf()]).toEqual([0, 1]);
  expect(records.seal(1, 22, new Uint8Array(1))).toBeNull();
  records.followSequence(7);
  expect(sequenceOf()).toBe(7);
  records.followSequence(3);
  expect(sequenceOf()).toBe(8);
  records.followSequence(2 ** 48 - 1);
  expect(sequenceOf()).toBe(9);
});
