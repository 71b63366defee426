import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTextFile } from "./files.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringback-files-"));
});

afterAll(() => rm(folder, { recursive: true }));

test("a file of exactly the allowed size is read, one byte more is refused", async () => {
  const path = join(folder, "ten.txt");
  await writeFile(path, "0123456789");
  await expect(readTextFile(path, 10)).resolves.toBe("0123456789");
  await expect(readTextFile(path, 9)).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { option: "file" },
  });
});

test("a byte order mark is left out and line ends stay as they are", async () => {
  const path = join(folder, "bom.txt");
  await writeFile(path, "\uFEFFv=0\r\ns=-\n");
  await expect(readTextFile(path, 100)).resolves.toBe("v=0\r\ns=-\n");
});

test("a file that Windows PowerShell wrote is read, too", async () => {
  const path = join(folder, "utf16.txt");
  await writeFile(path, "\uFEFFv=0\r\n", "utf16le");
  await expect(readTextFile(path, 100)).resolves.toBe("v=0\r\n");
});

test("a missing file and a folder are named with the reason", async () => {
  await expect(readTextFile(join(folder, "none"), 10)).rejects.toThrow("there is no such file");
  await expect(readTextFile(folder, 10)).rejects.toThrow("it is a folder");
});

test("a dash reads standard input, and no further than allowed", async () => {
  await expect(readTextFile("-", 10, Readable.from([Buffer.from("ab"), "cd"]))).resolves.toBe("abcd");
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(1_024);
    })(),
  );
  await expect(readTextFile("-", 4_096, endless)).rejects.toThrow("standard input is larger than 4096 bytes");
});
