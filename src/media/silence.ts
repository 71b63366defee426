/**
 * 20 ms of silence as one Opus packet.
 *
 * RFC 6716 §3.1: 0xf8 is configuration 31 (CELT, fullband, 20 ms), mono, one frame. The two bytes after it decode as CELT's
 * silence flag (§4.3), and the packet needs no state of an encoder, so that it fits between any two packets.
 */
export const OPUS_SILENCE: Uint8Array = Uint8Array.of(0xf8, 0xff, 0xfe);
