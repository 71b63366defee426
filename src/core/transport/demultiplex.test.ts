import { expect, test } from "vitest";
import { datagramKind } from "./demultiplex.ts";

test("every first byte is told as RFC 7983 has it", () => {
  const kinds = Array.from({ length: 256 }, (_, first) => datagramKind(Uint8Array.of(first, 0)));
  const ranges = { stun: [0, 3], dtls: [20, 63], srtp: [128, 191] } as const;
  for (const [first, kind] of kinds.entries()) {
    const expected = Object.entries(ranges).find(([, [begin, end]]) => first >= begin && first <= end);
    expect([first, kind]).toEqual([first, expected?.[0] ?? "unknown"]);
  }
});

test("an empty datagram is nothing known", () => {
  expect(datagramKind(new Uint8Array(0))).toBe("unknown");
});
