// npm run build && node bench/srtp.mjs: what SRTP costs per packet, next to node:crypto's objects made per packet.
// CPU time of the process, so that the collector's threads count. Compare figures of one run only.
import { createCipheriv, createHmac, createSecretKey, randomBytes } from "node:crypto";
import { SrtpReceiver } from "../dist/core/transport/srtp/srtp-receiver.js";
import { SrtpSender } from "../dist/core/transport/srtp/srtp-sender.js";

const HEADER_BYTES = 12;
const RTP_BYTES = HEADER_BYTES + 80;
const PACKETS = 200_000;
const ROUNDS = 4;
const PROFILES = [
  { profile: "SRTP_AEAD_AES_128_GCM", saltBytes: 12, tagBytes: 16, oneShot: gcm },
  { profile: "SRTP_AES128_CM_HMAC_SHA1_80", saltBytes: 14, tagBytes: 10, oneShot: ctrAndHmac },
];

const rows = [];
for (const profile of PROFILES) for (const calls of [1, 200]) rows.push(measure(profile, calls));
console.table(rows);

/** The best of several rounds with new calls; the first only warms up. */
function measure({ profile, saltBytes, tagBytes, oneShot }, calls) {
  const best = { protectUs: Infinity, unprotectUs: Infinity, nodeCryptoUs: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    const streams = makeStreams(profile, saltBytes, calls);
    const packets = Array.from({ length: PACKETS }, () => new Uint8Array(RTP_BYTES + tagBytes));
    const times = {
      protectUs: timePerPacket((i) => protect(streams[i % calls], i / calls, packets[i])),
      unprotectUs: timePerPacket((i) => unprotect(streams[i % calls], packets[i])),
      nodeCryptoUs: timePerPacket((i) => oneShot(streams[i % calls])),
    };
    if (round === 0) continue;
    for (const name of Object.keys(best)) best[name] = Math.min(best[name], times[name]);
  }
  const us = (time) => Number(time.toFixed(2));
  return {
    profile,
    calls,
    "protect us": us(best.protectUs),
    "unprotect us": us(best.unprotectUs),
    "node:crypto us": us(best.nodeCryptoUs),
  };
}

/** Calls take turns packet by packet, as on a worker's socket: what a call keeps leaves the caches in between. */
function makeStreams(profile, saltBytes, calls) {
  return Array.from({ length: calls }, () => {
    const master = { key: randomBytes(16), salt: randomBytes(saltBytes) };
    const rtp = new Uint8Array(randomBytes(RTP_BYTES));
    rtp[0] = 0x80;
    const keyObject = createSecretKey(master.key);
    const sender = new SrtpSender(profile, master);
    const receiver = new SrtpReceiver(profile, master);
    return { sender, receiver, rtp, keyObject, iv: randomBytes(16) };
  });
}

function timePerPacket(handle) {
  globalThis.gc?.();
  const start = process.cpuUsage();
  for (let i = 0; i < PACKETS; i++) handle(i);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / PACKETS;
}

function protect({ sender, rtp }, sequence, out) {
  rtp[2] = sequence >>> 8;
  rtp[3] = sequence;
  if (sender.protectRtp(rtp, RTP_BYTES, out, 0) < 0) throw new Error("not protected");
}

function unprotect({ receiver }, packet) {
  if (receiver.unprotectRtp(packet) !== RTP_BYTES) throw new Error("not unprotected");
}

function gcm({ keyObject, iv, rtp }) {
  const cipher = createCipheriv("aes-128-gcm", keyObject, iv.subarray(0, 12));
  cipher.setAAD(rtp.subarray(0, HEADER_BYTES));
  cipher.update(rtp.subarray(HEADER_BYTES));
  cipher.final();
  return cipher.getAuthTag();
}

function ctrAndHmac({ keyObject, iv, rtp }) {
  createCipheriv("aes-128-ctr", keyObject, iv).update(rtp.subarray(HEADER_BYTES));
  return createHmac("sha1", keyObject).update(rtp).digest();
}
