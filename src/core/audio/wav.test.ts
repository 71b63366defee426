import fc from "fast-check";
import { expect, test } from "vitest";
import { parseWav, serializeWav, type WavAudio } from "./wav.ts";

const audio: WavAudio = {
  sampleRateHz: 16_000,
  channelCount: 1,
  samples: Int16Array.of(0, 1, -1, 32767, -32768),
};

test("what is written reads back the same", () => {
  expect(parseWav(serializeWav(audio))).toEqual(audio);
});

test("unknown chunks before the data are skipped, padding byte included", () => {
  const plain = serializeWav(audio);
  const extra = Uint8Array.from([...new TextEncoder().encode("LIST"), 3, 0, 0, 0, 1, 2, 3, 0]);
  const bytes = Uint8Array.from([...plain.subarray(0, 36), ...extra, ...plain.subarray(36)]);
  expect(parseWav(bytes)).toEqual(audio);
});

test("data that was cut off is read as far as it goes", () => {
  const bytes = serializeWav(audio).subarray(0, 44 + 5);
  expect(parseWav(bytes)).toMatchObject({ samples: Int16Array.of(0, 1) });
});

test("other files and other encodings are told apart", () => {
  const float = serializeWav(audio);
  float[20] = 3;
  expect(parseWav(float)).toBe("unsupported-encoding");
  expect(parseWav(new TextEncoder().encode("hello, this is no sound"))).toBe("not-wav");
  expect(parseWav(new Uint8Array())).toBe("not-wav");
});

test("no prefix of a file throws", () => {
  const bytes = serializeWav(audio);
  for (let length = 0; length < 44; length += 1) {
    expect(["not-wav", "truncated-header"]).toContain(parseWav(bytes.subarray(0, length)));
  }
});

test("no mutation of a file throws", () => {
  const bytes = serializeWav(audio);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (index, value) => {
      const mutated = bytes.slice();
      mutated[index] = value;
      expect(parseWav(mutated)).toBeDefined();
    }),
  );
});
