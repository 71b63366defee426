import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { readSpokenText } from "./spoken-text.ts";

function faultOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was to fail.");
}

describe("a text to speak", () => {
  test.each([
    ["  Hello,\r\n world\t!\u0000 ", "Hello, world !"],
    ["Grüße aus 東京", "Grüße aus 東京"],
    ["-v", "-v"],
    ["👍", "👍"],
  ])("%j becomes the line %j", (text, line) => {
    expect(readSpokenText("x", { text })).toEqual({ text: line, voice: null, language: null });
  });

  test.each(["", "  ", "\n\t\u0000"])("is refused when there is nothing in it: %j", (text) => {
    const error = faultOf(() => readSpokenText("x", { text }));
    expect(error).toMatchObject({ code: "SPEECH_FAILED", details: { speech: "x", reason: "text-empty" } });
  });

  test("has at most 4 096 characters, and is not told in the error", () => {
    expect(readSpokenText("x", { text: "a".repeat(4_096) }).text).toHaveLength(4_096);
    const error = faultOf(() => readSpokenText("x", { text: "secret ".repeat(1_000) }));
    expect(error).toMatchObject({ details: { reason: "text-too-long" } });
    expect(inspect(error)).not.toContain("secret");
  });
});

describe("a voice and a language", () => {
  test.each([
    "en",
    "pt-BR",
    "en-us+f3",
    "en_US-lessac-medium",
    "af_bella(2)+af_sky(1)",
    "Frau Müller",
    "日本",
  ])("may be %s", (name) => {
    expect(readSpokenText("x", { text: "a", voice: name, language: name })).toMatchObject({ voice: name });
  });

  test("may be left out, also as nothing", () => {
    expect(readSpokenText("x", { text: "a", voice: "", language: "" })).toMatchObject({ voice: null });
  });

  test.each([
    "-v",
    "--help",
    "../en",
    "/etc/passwd",
    "a/b",
    "a\\b",
    ".hidden",
    "a\nb",
    "a\0b",
    " a",
    "a".repeat(101),
  ])("is refused when it is %j", (name) => {
    const reason = "voice-invalid";
    for (const request of [{ voice: name }, { language: name }]) {
      const error = faultOf(() => readSpokenText("x", { text: "a", ...request }));
      expect(error).toMatchObject({ code: "SPEECH_FAILED", details: { reason } });
    }
  });
});
