import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { openForReading } from "./read-range.ts";
import { removeFile } from "./remove-file.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ringback-range-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "in", "below"), { recursive: true });
  await writeFile(join(folder, "in", "file"), "0123456789");
  await writeFile(join(folder, "in", "below", "file"), "abc");
  await writeFile(join(folder, "secret"), "secret");
  await symlink(join(folder, "secret"), join(folder, "in", "link"));
  await symlink(folder, join(folder, "in", "up"));
  return folder;
}

test("a part of a file is read, both ends included", async () => {
  const folder = await makeFolder();
  const file = await openForReading(join(folder, "in", "file"), join(folder, "in"));
  expect(file?.sizeBytes).toBe(10);
  expect(await text(file!.stream(2, 5))).toBe("2345");
  const whole = await openForReading(join(folder, "in", "below", "file"), join(folder, "in"));
  expect(await text(whole!.stream(0, 2))).toBe("abc");
});

test("what is not there, is no file, or is elsewhere, by whatever way, is not opened", async () => {
  const folder = await makeFolder();
  const within = join(folder, "in");
  for (const path of [
    "absent",
    "file/x",
    "below",
    ".",
    "..",
    "../secret",
    "link",
    "up/secret",
    "below/../../secret",
  ]) {
    expect(await openForReading(join(within, path), within)).toBeNull();
  }
  expect(await openForReading(join(folder, "secret"), join(folder, "absent"))).toBeNull();
  const anywhere = await openForReading(join(folder, "secret"), null);
  expect(anywhere?.sizeBytes).toBe(6);
  await anywhere?.close();
});

test("a file is removed, and being gone is as good; what is elsewhere is left alone", async () => {
  const folder = await makeFolder();
  const within = join(folder, "in");
  expect(await removeFile(join(within, "file"), within)).toBe(true);
  expect(await removeFile(join(within, "file"), within)).toBe(true);
  expect(await removeFile(join(within, "gone", "file"), within)).toBe(true);
  expect(await removeFile(join(within, "..", "secret"), within)).toBe(false);
  expect(await removeFile(join(within, "up", "secret"), within)).toBe(false);
  expect(await removeFile(join(within, "link"), within)).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(["in", "secret"]);
  expect((await readdir(within)).sort()).toEqual(["below", "up"]);
  expect(await removeFile(join(folder, "secret"), null)).toBe(true);
});
