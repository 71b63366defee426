import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppendFile } from "./append-file.ts";
import type { FileFailure } from "./file-failure.ts";

let folder = "";
let failures: FileFailure[] = [];
let mounted: string | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-append-"));
  failures = [];
});
afterEach(() => {
  if (mounted !== null) execFileSync("umount", [mounted]);
  mounted = null;
  rmSync(folder, { recursive: true });
});

function open(path: string, maxQueuedBytes?: number): AppendFile {
  return new AppendFile(path, {
    onError: (failure) => failures.push(failure),
    ...(maxQueuedBytes === undefined ? {} : { maxQueuedBytes }),
  });
}

/** A disk of 64 KiB; null when this process may not make one. */
function smallDisk(): string | null {
  const path = join(folder, "disk");
  mkdirSync(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path], { stdio: "ignore" });
  } catch {
    return null;
  }
  mounted = path;
  return path;
}

describe("a file that is appended to", () => {
  test("has all bytes in order, is its owner's alone, and so is the folder made for it", async () => {
    const path = join(folder, "a", "b", "call.opus");
    const file = open(path);
    for (let i = 0; i < 200; i += 1) file.append(Buffer.from(`${i} `));
    await file.close();
    expect(readFileSync(path, "utf8")).toBe(Array.from({ length: 200 }, (_, i) => `${i} `).join(""));
    expect([file.isCreated, file.bytesWritten, file.bytesDropped]).toEqual([true, statSync(path).size, 0]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "a", "b")).mode & 0o777).toBe(0o700);
    expect(failures).toEqual([]);
  });

  test("takes nothing once it is closed, which a second time is no other", async () => {
    const path = join(folder, "call.opus");
    const file = open(path);
    file.append(Buffer.from("kept"));
    const closed = file.close();
    file.append(Buffer.from("dropped"));
    expect(file.close()).toBe(closed);
    await closed;
    expect(readFileSync(path, "utf8")).toBe("kept");
    expect([file.bytesDropped, failures]).toEqual([7, []]);
  });

  test("never replaces another", async () => {
    const path = join(folder, "call.opus");
    writeFileSync(path, "before");
    const file = open(path);
    file.append(Buffer.from("after"));
    await file.close();
    file.append(Buffer.from("later"));
    expect(readFileSync(path, "utf8")).toBe("before");
    expect(failures).toEqual([{ code: "EEXIST", message: "there is a file of this name already" }]);
    expect([file.isCreated, file.bytesWritten, file.bytesDropped]).toEqual([false, 0, 10]);
  });

  test("tells that its folder cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    const file = open(join(folder, "file", "call.opus"));
    await file.close();
    expect(failures.map(({ code }) => code)).toEqual([expect.stringMatching(/^(ENOTDIR|EEXIST)$/)]);
  });

  test("holds no more than it may for a disk that does not keep up", async () => {
    const file = open(join(folder, "call.opus"), 1000);
    for (let i = 0; i < 20; i += 1) file.append(new Uint8Array(100));
    expect(failures).toEqual([{ code: "QUEUE_FULL", message: "the disk is too slow" }]);
    await file.close();
    expect(file.bytesDropped).toBeGreaterThanOrEqual(1000);
    expect(failures).toHaveLength(1);
  });

  test("on a full disk keeps what was written, says so once and drops the rest", async ({ skip }) => {
    const disk = smallDisk();
    if (disk === null) return skip("this process may not mount a small disk");
    const path = join(disk, "call.opus");
    const file = open(path);
    for (let i = 0; i < 200; i += 1) file.append(new Uint8Array(1000).fill(i));
    await file.close();
    expect(failures).toEqual([{ code: "ENOSPC", message: "the disk is full" }]);
    expect(file.bytesWritten).toBeGreaterThan(50_000);
    expect(file.bytesWritten + file.bytesDropped).toBe(200_000);
    expect([...readFileSync(path)].every((byte, i) => byte === Math.floor(i / 1000))).toBe(true);
  });
});
