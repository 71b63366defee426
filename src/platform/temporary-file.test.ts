import { existsSync, readdirSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { readSmallFile, withTemporaryFile } from "./temporary-file.ts";

test("a temporary file is this user's alone, and gone when the work is done or has failed", async () => {
  const paths: string[] = [];
  const use = async (path: string): Promise<number> => {
    paths.push(path);
    await writeFile(path, "text");
    return statSync(dirname(path)).mode & 0o077;
  };
  expect(await withTemporaryFile("a.wav", use)).toBe(0);
  const failing = withTemporaryFile("a.wav", async (path) => {
    await use(path);
    throw new Error("broken");
  });
  await expect(failing).rejects.toThrow("broken");
  expect(new Set(paths).size).toBe(2);
  for (const path of paths) expect(existsSync(dirname(path))).toBe(false);
});

test("a file of the allowed size is read, a larger one is not", async () => {
  await withTemporaryFile("a", async (path) => {
    await writeFile(path, new Uint8Array(100_000).fill(7));
    expect(await readSmallFile(path, 99_999)).toBeNull();
    expect(await readSmallFile(path, 100_000)).toEqual(new Uint8Array(100_000).fill(7));
    await expect(readSmallFile(`${path}-missing`, 1)).rejects.toMatchObject({ code: "ENOENT" });
    expect(readdirSync(dirname(path))).toEqual(["a"]);
  });
});
