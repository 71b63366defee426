// Datagrams that nobody should take for a call's: as an attacker would send them who does not know the keys.
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const STUN_MAGIC_COOKIE = 0x2112a442;
/** RFC 8489 §14.7: what the CRC is combined with. */
const FINGERPRINT_XOR = 0x5354554e;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const USE_CANDIDATE = 0x0025;
const PRIORITY = 0x0024;
const ICE_CONTROLLING = 0x802a;
const FINGERPRINT = 0x8028;
const DTLS_1_2 = 0xfefd;

/** A Binding request that is right in everything but its integrity. */
export function forgedCheck(username) {
  const priority = Buffer.alloc(4);
  priority.writeUInt32BE(2_122_260_223);
  const attributes = [
    [USERNAME, Buffer.from(username)],
    [PRIORITY, priority],
    [ICE_CONTROLLING, randomBytes(8)],
    [USE_CANDIDATE, Buffer.alloc(0)],
    [MESSAGE_INTEGRITY, randomBytes(20)],
  ].map(([type, value]) => attribute(type, value));
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x0001, 0);
  header.writeUInt32BE(STUN_MAGIC_COOKIE, 4);
  randomBytes(12).copy(header, 8);
  const body = Buffer.concat([header, ...attributes]);
  body.writeUInt16BE(body.length - 20 + 8, 2);
  const value = Buffer.alloc(4);
  value.writeUInt32BE((crc32(body) ^ FINGERPRINT_XOR) >>> 0);
  return Buffer.concat([body, attribute(FINGERPRINT, value)]);
}

/** A record of the given type and epoch with random content. */
export function forgedRecord(contentType, epoch, bytes) {
  const record = randomBytes(13 + bytes);
  record[0] = contentType;
  record.writeUInt16BE(DTLS_1_2, 1);
  record.writeUInt16BE(epoch, 3);
  record.writeUIntBE(epoch === 0 ? 0 : 1 << 20, 5, 6);
  record.writeUInt16BE(bytes, 11);
  return record;
}

/** A ClientHello's first bytes and then nothing that is right. */
export function forgedHello() {
  const hello = forgedRecord(22, 0, 180);
  const body = 180 - 12;
  hello[13] = 1;
  hello.writeUIntBE(body, 14, 3);
  hello.writeUInt16BE(0, 17);
  hello.writeUIntBE(0, 19, 3);
  hello.writeUIntBE(body, 22, 3);
  return hello;
}

export function forgedRtp() {
  const packet = randomBytes(12 + 80 + 16);
  packet[0] = 0x80;
  packet[1] = 111;
  return packet;
}

export function forgedRtcp() {
  const packet = randomBytes(60);
  packet[0] = 0x81;
  packet[1] = 201;
  packet.writeUInt16BE(7, 2);
  return packet;
}

export function noise() {
  return randomBytes(1 + Math.floor(Math.random() * 1_200));
}

function attribute(type, value) {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}
