import { describe, expect, test } from "vitest";
import { CommandArguments } from "./command-arguments.ts";

const SPOKEN = { text: "hello", voice: "en", language: "pt-BR" };

describe("arguments of a program", () => {
  test("are filled, also within one", () => {
    const args = new CommandArguments([
      "-v",
      "{voice}",
      "--model=/models/{language}.onnx",
      "-w{output}",
      "{text}",
      "-",
    ]);
    expect(args.fill(SPOKEN, "/tmp/a.wav")).toEqual([
      "-v",
      "en",
      "--model=/models/pt-BR.onnx",
      "-w/tmp/a.wav",
      "hello",
      "-",
    ]);
    expect([args.has("text"), args.has("output")]).toEqual([true, true]);
    expect(new CommandArguments(["--stdout"]).has("text")).toBe(false);
  });

  test.each(["-foo", "--help", "-", "@/etc/passwd", "$HOME", "/file"])(
    "keep the text %j from being an option",
    (text) => {
      const args = new CommandArguments(["{text}", "--text={text}", "{text}{voice}"]);
      expect(args.fill({ ...SPOKEN, text }, "")).toEqual([` ${text}`, `--text=${text}`, ` ${text}en`]);
    },
  );

  test("leave a text as it is that has placeholders or the patterns of a replacement in it", () => {
    const text = "a {voice} {output} $& $1 $$";
    expect(new CommandArguments(["{text}"]).fill({ ...SPOKEN, text }, "/tmp/x")).toEqual([text]);
  });

  test("are refused with an unknown placeholder", () => {
    expect(() => new CommandArguments(["{text}", "{txt}"])).toThrow("args: {txt} is unknown");
  });
});
