import { expect, test } from "vitest";
import { deriveKey } from "./derive-key.ts";
import { checkSignedUrl, MAX_URL_LIFE_MS, signUrl, type UrlToCheck } from "./signed-url.ts";

const KEY = deriveKey(new Uint8Array(32).fill(7), "signed-urls");
const PATH = "/v1/recordings/rec_0123/files/0";
const NOW_MS = 1_800_000_000_000;

function urlToCheck(expiresAtMs: number, change: Partial<UrlToCheck> = {}): UrlToCheck {
  const query = new URLSearchParams(signUrl(KEY, { method: "GET", path: PATH, expiresAtMs }));
  return {
    method: "GET",
    path: PATH,
    expires: query.get("expires") ?? "",
    signature: query.get("signature") ?? "",
    nowMs: NOW_MS,
    ...change,
  };
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ ";

/** The text with each of its characters replaced by each other one, removed, and doubled. */
function* mutations(text: string, alphabet: string): Generator<string> {
  for (let index = 0; index < text.length; index += 1) {
    const [before, after] = [text.slice(0, index), text.slice(index + 1)];
    yield before + after;
    yield before + text[index] + text[index] + after;
    for (const character of alphabet) if (character !== text[index]) yield before + character + after;
  }
}

test("a signed URL is good until it expires, for GET and HEAD", () => {
  const url = urlToCheck(NOW_MS + 300_000);
  expect(checkSignedUrl(KEY, url)).toBe("valid");
  expect(checkSignedUrl(KEY, { ...url, method: "HEAD" })).toBe("valid");
  expect(checkSignedUrl(KEY, { ...url, nowMs: NOW_MS + 299_999 })).toBe("valid");
  expect(checkSignedUrl(KEY, { ...url, nowMs: NOW_MS + 300_000 })).toBe("expired");
});

test("no other character anywhere in the signature, the time or the path passes", () => {
  const url = urlToCheck(NOW_MS + 300_000);
  let tried = 0;
  for (const field of ["signature", "expires", "path"] as const) {
    for (const mutation of mutations(url[field], ALPHABET)) {
      tried += 1;
      expect(checkSignedUrl(KEY, { ...url, [field]: mutation })).toBe("invalid");
    }
  }
  expect(tried).toBeGreaterThan(5_000);
});

test("methods that write, keys of other purposes and of other instances, and empty signatures are refused", () => {
  const url = urlToCheck(NOW_MS + 300_000);
  for (const method of ["DELETE", "POST", "get", ""]) {
    expect(checkSignedUrl(KEY, { ...url, method })).toBe("invalid");
  }
  const master = new Uint8Array(32).fill(7);
  expect(checkSignedUrl(deriveKey(master, "cursors"), url)).toBe("invalid");
  expect(checkSignedUrl(deriveKey(new Uint8Array(32).fill(8), "signed-urls"), url)).toBe("invalid");
  expect(checkSignedUrl(KEY, { ...url, signature: "" })).toBe("invalid");
});

test("a URL that would be good for longer than an hour is good for nothing, even if it is signed", () => {
  expect(checkSignedUrl(KEY, urlToCheck(NOW_MS + MAX_URL_LIFE_MS))).toBe("valid");
  expect(checkSignedUrl(KEY, urlToCheck(NOW_MS + MAX_URL_LIFE_MS + 2_000))).toBe("invalid");
});

test("an expired URL that was made up is told nothing but that it is invalid", () => {
  const url = urlToCheck(NOW_MS - 1_000, { signature: "x".repeat(43) });
  expect(checkSignedUrl(KEY, url)).toBe("invalid");
});
