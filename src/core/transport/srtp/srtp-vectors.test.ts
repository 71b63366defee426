import { expect, test } from "vitest";
import { AesGcmTransform } from "./aes-gcm-transform.ts";
import { PacketParts } from "./packet-parts.ts";
import type { SrtpProfile } from "./srtp-profile.ts";
import { SrtpReceiver } from "./srtp-receiver.ts";
import { SrtpSender } from "./srtp-sender.ts";

const hex = (text: string) => Buffer.from(text, "hex");

// RFC 7714 §16 and §17 give session keys, not master keys.
const GCM_SESSION_KEYS = {
  encryptionKey: hex("000102030405060708090a0b0c0d0e0f"),
  salt: hex("517569642070726f2071756f"),
  authenticationKey: new Uint8Array(20),
};

test("an RTP packet becomes the one of RFC 7714 §16.1, and comes back", () => {
  const plain = hex(
    "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
  );
  const sealed = hex(
    "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833" +
      "899d7f27beb16a9152cf765ee4390cce",
  );
  const transform = new AesGcmTransform(GCM_SESSION_KEYS, "rtp");
  const bytes = Buffer.concat([plain, Buffer.alloc(16)]);
  const parts = new PacketParts();
  expect(parts.readRtp(bytes, 0, plain.length)).toBe(true);
  parts.index = 0xf17b;
  parts.tagStart = plain.length;
  transform.seal(parts);
  expect(bytes).toEqual(sealed);
  expect(transform.open(parts)).toBe(true);
  expect(bytes.subarray(0, plain.length)).toEqual(plain);
});

test("an RTCP packet becomes the one of RFC 7714 §17.1, and comes back", () => {
  const plain = hex(
    "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
  );
  const sealed = hex(
    "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b" +
      "c84aa45896cf4d2fc5abf87245d9eade",
  );
  const transform = new AesGcmTransform(GCM_SESSION_KEYS, "rtcp");
  const bytes = Buffer.concat([plain, Buffer.alloc(16)]);
  const parts = new PacketParts();
  expect(parts.readRtcp(bytes, 0, plain.length)).toBe(true);
  parts.index = 0x5d4;
  parts.word = 0x800005d4 | 0;
  parts.tagStart = plain.length;
  transform.seal(parts);
  expect(bytes).toEqual(sealed);
  expect(transform.open(parts)).toBe(true);
  expect(bytes.subarray(0, plain.length)).toEqual(plain);
});

// The reference packets of libsrtp's own test driver, from the master key on.
const LIBSRTP: readonly { profile: SrtpProfile; key: string; salt: string; srtp: string; srtcp: string }[] = [
  {
    profile: "SRTP_AES128_CM_HMAC_SHA1_80",
    key: "e1f97a0d3e018be0d64fa32c06de4139",
    salt: "0ec675ad498afeebb6960b3aabe6",
    srtp: "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
    srtcp: "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
  },
  {
    profile: "SRTP_AEAD_AES_128_GCM",
    key: "000102030405060708090a0b0c0d0e0f",
    salt: "a0a1a2a3a4a5a6a7a8a9aaab",
    srtp: "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
    srtcp: "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001",
  },
];
const LIBSRTP_RTP = hex(`800f1234decafbadcafebabe${"ab".repeat(16)}`);
const LIBSRTP_RTCP = hex(`81c8000bcafebabe${"ab".repeat(16)}`);

test.each(LIBSRTP)(
  "$profile: we write libsrtp's reference packets",
  ({ profile, key, salt, srtp, srtcp }) => {
    const sender = new SrtpSender(profile, { key: hex(key), salt: hex(salt) });
    const out = Buffer.alloc(100);
    const srtpBytes = sender.protectRtp(LIBSRTP_RTP, LIBSRTP_RTP.length, out, 0);
    expect(out.subarray(0, srtpBytes).toString("hex")).toBe(srtp);
    sender.protectRtcp(LIBSRTP_RTCP, LIBSRTP_RTCP.length, out, 0); // libsrtp begins with index 1.
    const srtcpBytes = sender.protectRtcp(LIBSRTP_RTCP, LIBSRTP_RTCP.length, out, 0);
    expect(out.subarray(0, srtcpBytes).toString("hex")).toBe(srtcp);
  },
);

test.each(LIBSRTP)("$profile: we read libsrtp's reference packets", ({ profile, key, salt, srtp, srtcp }) => {
  const receiver = new SrtpReceiver(profile, { key: hex(key), salt: hex(salt) });
  const rtp = hex(srtp);
  expect(rtp.subarray(0, receiver.unprotectRtp(rtp))).toEqual(LIBSRTP_RTP);
  const rtcp = hex(srtcp);
  expect(rtcp.subarray(0, receiver.unprotectRtcp(rtcp))).toEqual(LIBSRTP_RTCP);
});
