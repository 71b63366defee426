import fc from "fast-check";
import { expect, test } from "vitest";
import { type Digit, TelephoneEventDecoder } from "./telephone-event.ts";

function setUp() {
  const digits: Digit[] = [];
  const decoder = new TelephoneEventDecoder((digit) => digits.push(digit));
  let nowMs = 0;
  const send = (
    event: number,
    timestamp: number,
    ticks: number,
    flags: { end?: boolean; marker?: boolean } = {},
  ) => {
    nowMs += 20;
    const payload = Uint8Array.of(event, flags.end ? 0x8a : 0x0a, ticks >> 8, ticks & 0xff);
    decoder.receive(payload, 0, 4, timestamp, flags.marker ?? false, nowMs);
  };
  return { digits, decoder, send };
}

test("a key pressed once is one digit, its repeated end packets notwithstanding", () => {
  const { digits, decoder, send } = setUp();
  send(5, 1000, 160, { marker: true });
  send(5, 1000, 320);
  send(5, 1000, 800, { end: true });
  send(5, 1000, 800, { end: true });
  send(5, 1000, 800, { end: true });
  expect(digits).toEqual([{ digit: "5", durationMs: 100 }]);
  expect(decoder.stats.digits).toBe(1);
});

test("the same key pressed twice is two digits", () => {
  const { digits, send } = setUp();
  send(1, 1000, 400, { marker: true, end: true });
  send(1, 9000, 400, { marker: true, end: true });
  expect(digits.map((digit) => digit.digit)).toEqual(["1", "1"]);
});

test("all sixteen keys are known", () => {
  const { digits, send } = setUp();
  for (let event = 0; event < 16; event += 1) send(event, event * 1000, 800, { end: true });
  expect(digits.map((digit) => digit.digit).join("")).toBe("0123456789*#ABCD");
});

test("an end packet alone is enough", () => {
  const { digits, send } = setUp();
  send(11, 1000, 1600, { end: true });
  expect(digits).toEqual([{ digit: "#", durationMs: 200 }]);
});

test("an event whose ends were lost is reported when the next one starts", () => {
  const { digits, send } = setUp();
  send(2, 1000, 160, { marker: true });
  send(2, 1000, 480);
  send(3, 5000, 160, { marker: true });
  expect(digits).toEqual([{ digit: "2", durationMs: 60 }]);
});

test("an event whose ends were lost is reported after half a second of silence, once", () => {
  const { digits, decoder, send } = setUp();
  send(2, 1000, 160, { marker: true });
  decoder.expire(519);
  expect(digits).toEqual([]);
  decoder.expire(520);
  decoder.expire(9000);
  send(2, 1000, 800, { end: true });
  expect(digits).toEqual([{ digit: "2", durationMs: 20 }]);
});

test("packets out of order neither shorten a digit nor revive an earlier one", () => {
  const { digits, send } = setUp();
  send(1, 1000, 480);
  send(1, 1000, 320);
  send(1, 1000, 640, { end: true });
  send(2, 5000, 160, { marker: true });
  send(1, 1000, 480);
  send(2, 5000, 320, { end: true });
  expect(digits).toEqual([
    { digit: "1", durationMs: 80 },
    { digit: "2", durationMs: 40 },
  ]);
});

test("a key held beyond one segment is one digit with the whole duration", () => {
  const { digits, send } = setUp();
  send(7, 0, 160, { marker: true });
  send(7, 0, 0xffff);
  send(7, 0xffff, 800);
  send(7, 0xffff, 1600, { end: true });
  expect(digits).toEqual([{ digit: "7", durationMs: (0xffff + 1600) / 8 }]);
});

test.each([0xffff, 6 * 0xffff])(
  "a segment whose last packet was lost goes on all the same, %d ticks later",
  (next) => {
    const { digits, send } = setUp();
    send(7, 0, 160, { marker: true });
    send(7, 0, 0xff00);
    send(7, next, 800);
    send(7, next, 1600, { end: true });
    expect(digits).toEqual([{ digit: "7", durationMs: (0xffff + 1600) / 8 }]);
  },
);

test("the same key pressed again is another digit, though all ends of the first were lost", () => {
  const { digits, send } = setUp();
  send(7, 0, 160, { marker: true });
  send(7, 9600, 160, { marker: true });
  send(7, 9600, 800, { end: true });
  expect(digits.map(({ digit }) => digit)).toEqual(["7", "7"]);
});

test("timestamps are compared across their wrap", () => {
  const { digits, send } = setUp();
  send(1, 0xffffff00, 800, { end: true });
  send(2, 0x00000100, 800, { end: true });
  expect(digits.map((digit) => digit.digit)).toEqual(["1", "2"]);
});

test("events that are no keys and short payloads are counted, not reported", () => {
  const { digits, decoder, send } = setUp();
  send(16, 1000, 800, { end: true });
  decoder.receive(Uint8Array.of(1, 0x80, 0), 0, 3, 2000, false, 0);
  expect(digits).toEqual([]);
  expect(decoder.stats).toEqual({ digits: 0, malformed: 1, unknownEvents: 1 });
});

test("after a reset a lower timestamp is a new event", () => {
  const { digits, decoder, send } = setUp();
  send(1, 50_000, 800, { marker: true });
  decoder.reset();
  send(2, 10, 800, { end: true });
  expect(digits.map((digit) => digit.digit)).toEqual(["1", "2"]);
});

test("any sequence of payloads yields only known digits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.nat(0xffffffff), fc.boolean()), {
        maxLength: 40,
      }),
      (packets) => {
        const { digits, decoder } = setUp();
        for (const [payload, timestamp, marker] of packets) {
          decoder.receive(payload, 0, payload.length, timestamp, marker, 0);
        }
        decoder.expire(1_000_000);
        for (const { digit, durationMs } of digits) {
          expect("0123456789*#ABCD").toContain(digit);
          expect(durationMs).toBeGreaterThanOrEqual(0);
        }
        expect(digits.length).toBeLessThanOrEqual(packets.length);
      },
    ),
  );
});
