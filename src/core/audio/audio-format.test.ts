import { expect, test } from "vitest";
import { detectAudioFormat } from "./audio-format.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each([
  ["wav", text("RIFF....WAVEfmt ")],
  ["flac", text("fLaC\0\0\0\x22")],
  ["ogg-opus", text(`OggS${"\0".repeat(24)}OpusHead`)],
  ["mp3", text("ID3\x04")],
  ["mp3", Uint8Array.of(0xff, 0xfb, 0x90, 0x00)],
  ["mp3", Uint8Array.of(0xff, 0xf3, 0x48, 0xc4)],
])("%s is known by its first bytes", (format, head) => {
  expect(detectAudioFormat(head)).toBe(format);
});

test("an MPEG frame counts only when another one follows it", () => {
  // MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes a frame.
  const stream = new Uint8Array(2_000).fill(65);
  stream.set([0xff, 0xfb, 0x90, 0x00]);
  expect(detectAudioFormat(stream)).toBeNull();
  stream.set([0xff, 0xfb, 0x90, 0x00], 417);
  expect(detectAudioFormat(stream)).toBe("mp3");
});

test.each([
  ["text", text("hello, this is no sound")],
  ["PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ["an AVI file", text("RIFF....AVI LIST")],
  ["Ogg Vorbis", text(`OggS${"\0".repeat(24)}\x01vorbis`)],
  ["a JPEG", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)],
  ["AAC in ADTS", Uint8Array.of(0xff, 0xf1, 0x50, 0x80)],
  ["MPEG with an impossible bit rate", Uint8Array.of(0xff, 0xfb, 0xf0, 0x00)],
  ["half a header", text("RIFF")],
  ["nothing", new Uint8Array()],
])("%s is no format to play", (_, head) => {
  expect(detectAudioFormat(head)).toBeNull();
});
