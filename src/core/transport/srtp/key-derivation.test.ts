import { createCipheriv } from "node:crypto";
import { expect, test } from "vitest";
import { deriveSessionKeys } from "./key-derivation.ts";
import type { SrtpProfile } from "./srtp-profile.ts";

const hex = (text: string) => Buffer.from(text, "hex");

test("SRTP's session keys are those of RFC 3711 B.3", () => {
  const { rtp } = deriveSessionKeys("SRTP_AES128_CM_HMAC_SHA1_80", {
    key: hex("e1f97a0d3e018be0d64fa32c06de4139"),
    salt: hex("0ec675ad498afeebb6960b3aabe6"),
  });
  expect(rtp.encryptionKey).toEqual(hex("c61e7a93744f39ee10734afe3ff7a087"));
  expect(rtp.salt).toEqual(hex("30cbbc08863d8c85d49db34a9ae1"));
  expect(rtp.authenticationKey).toEqual(hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
});

test.each<{ profile: SrtpProfile; salt: string }>([
  { profile: "SRTP_AEAD_AES_128_GCM", salt: "a0a1a2a3a4a5a6a7a8a9aaab" },
  { profile: "SRTP_AES128_CM_HMAC_SHA1_80", salt: "a0a1a2a3a4a5a6a7a8a9aaabacad" },
])("$profile's keys follow the formula of RFC 3711 §4.3, block by block", ({ profile, salt }) => {
  const key = hex("000102030405060708090a0b0c0d0e0f");
  const { rtp, rtcp } = deriveSessionKeys(profile, { key, salt: hex(salt) });
  const formula = (label: number, lengthBytes: number) => {
    const x = BigInt(`0x${salt.padEnd(28, "0")}`) ^ (BigInt(label) << 48n);
    const blocks = [0n, 1n].map((counter) => hex(((x << 16n) + counter).toString(16).padStart(32, "0")));
    return createCipheriv("aes-128-ecb", key, null).update(Buffer.concat(blocks)).subarray(0, lengthBytes);
  };
  const saltBytes = salt.length / 2;
  expect(rtp).toEqual({
    encryptionKey: formula(0, 16),
    authenticationKey: formula(1, 20),
    salt: formula(2, saltBytes),
  });
  expect(rtcp).toEqual({
    encryptionKey: formula(3, 16),
    authenticationKey: formula(4, 20),
    salt: formula(5, saltBytes),
  });
});

test("a master key or salt of another profile's length is refused", () => {
  const derive = (keyBytes: number, saltBytes: number) => () =>
    deriveSessionKeys("SRTP_AEAD_AES_128_GCM", {
      key: new Uint8Array(keyBytes),
      salt: new Uint8Array(saltBytes),
    });
  expect(derive(16, 14)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  expect(derive(32, 12)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  expect(derive(16, 12)).not.toThrow();
});
