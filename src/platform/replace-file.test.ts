import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileFailure, fileFailureOf } from "./file-failure.ts";
import { exists, ReplaceFile, removeFile } from "./replace-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-replace-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a file that replaces another", () => {
  test("comes into its place when it is whole, and a crash's remains do not matter", async () => {
    const path = join(folder, "call.opus");
    writeFileSync(path, "old");
    writeFileSync(`${path}.tmp`, "of a crash");
    const file = await ReplaceFile.create(path);
    await file.write(Buffer.from("new con"));
    await file.write(Buffer.from("tents"));
    await file.writeAtStart(Buffer.from("NEW"));
    expect(readFileSync(path, "utf8")).toBe("old");
    await file.commit();
    await file.discard();
    expect(readFileSync(path, "utf8")).toBe("NEW contents");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["call.opus"]);
  });

  test("leaves no trace when it is discarded", async () => {
    const path = join(folder, "call.opus");
    writeFileSync(path, "old");
    const file = await ReplaceFile.create(path);
    await file.write(Buffer.from("new"));
    await file.discard();
    await file.discard();
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["old", ["call.opus"]]);
  });

  test("that cannot be made rejects with the system's code", async () => {
    await expect(ReplaceFile.create(join(folder, "none", "call.opus"))).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});

test("a file is there or not, and removing it twice is no error", async () => {
  const path = join(folder, "call.opus");
  writeFileSync(path, "");
  expect(await exists(path)).toBe(true);
  await removeFile(path);
  await removeFile(path);
  expect(await exists(path)).toBe(false);
});

test("a failure is told in plain words, an unknown one by the system's code", () => {
  expect(fileFailure("EIO")).toEqual({ code: "EIO", message: "the disk failed" });
  expect(fileFailure("EWHAT")).toEqual({ code: "EWHAT", message: "the system said EWHAT" });
  expect(fileFailureOf(Object.assign(new Error("no"), { code: "EACCES" }))).toEqual({
    code: "EACCES",
    message: "permission is denied",
  });
  expect(fileFailureOf("what")).toEqual({ code: "UNKNOWN", message: "writing failed" });
});
