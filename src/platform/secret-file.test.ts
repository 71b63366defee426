import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readSecretFile } from "./secret-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const path = join(folder, "secret");
  writeFileSync(path, text);
  return path;
}

describe("a secret's file", () => {
  test("is read to its end", () => {
    expect(readSecretFile(fileOf("a-secret\n"))).toBe("a-secret\n");
    expect(readSecretFile(fileOf("x".repeat(8_192)))).toHaveLength(8_192);
  });

  test("that is too long or not there is refused without its content", () => {
    expect(() => readSecretFile(fileOf("x".repeat(8_193)))).toThrow(/^a secret has at most 8192 bytes$/);
    expect(() => readSecretFile(join(folder, "nothing"))).toThrow(/ENOENT/);
  });

  test("may be a pipe that gives it in parts, as process substitution makes one", () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const writer = spawn("sh", ["-c", '(printf first; sleep 0.1; printf second) > "$0"', path]);
    const ended = once(writer, "exit");
    expect(readSecretFile(path)).toBe("firstsecond");
    return ended;
  });
});
