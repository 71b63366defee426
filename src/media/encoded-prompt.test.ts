import { expect, test } from "vitest";
import { openPrompt, packPrompt } from "./encoded-prompt.ts";

const PACKETS = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(), Uint8Array.of(5, 6)];

test("packets come out as they went in, each always as the same object", () => {
  const prompt = packPrompt(PACKETS, 75);
  expect(prompt).toMatchObject({ packetCount: 4, durationMs: 75 });
  expect([0, 1, 2, 3].map((index) => [...prompt.packet(index)!])).toEqual(PACKETS.map((each) => [...each]));
  expect(prompt.packet(3)).toBe(prompt.packet(3));
  expect([prompt.packet(4), prompt.packet(-1)]).toEqual([undefined, undefined]);
});

test("a copy that another thread is sent lies in the same memory", () => {
  const prompt = packPrompt(PACKETS, 75);
  const other = openPrompt(structuredClone(prompt.memory));
  prompt.memory.data[0] = 99;
  expect([...other.packet(0)!]).toEqual([99, 2, 3]);
  expect(other).toMatchObject({ packetCount: 4, durationMs: 75, bytes: prompt.bytes });
});

test("a prompt may be empty", () => {
  expect(packPrompt([], 0)).toMatchObject({ packetCount: 0, bytes: 0 });
});
