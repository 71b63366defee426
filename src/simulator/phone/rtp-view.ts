const FIXED_HEADER_BYTES = 12;

/**
 * A reader of RTP packets (RFC 3550 §5.1) that is used again for each packet, so that reading allocates nothing.
 *
 * ```
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * ```
 */
export class RtpView {
  marker = false;
  payloadType = 0;
  sequenceNumber = 0;
  timestamp = 0;
  ssrc = 0;
  payloadStart = 0;
  payloadEnd = 0;

  /** False when the bytes are no RTP packet; the fields then mean nothing. */
  read(bytes: Buffer): boolean {
    if (bytes.length < FIXED_HEADER_BYTES) return false;
    const first = bytes[0] ?? 0;
    const second = bytes[1] ?? 0;
    if (first >> 6 !== 2) return false;
    this.marker = (second & 0x80) !== 0;
    this.payloadType = second & 0x7f;
    this.sequenceNumber = bytes.readUInt16BE(2);
    this.timestamp = bytes.readUInt32BE(4);
    this.ssrc = bytes.readUInt32BE(8);
    this.payloadStart = FIXED_HEADER_BYTES + (first & 0x0f) * 4;
    if ((first & 0x10) !== 0) {
      if (this.payloadStart + 4 > bytes.length) return false;
      this.payloadStart += 4 + bytes.readUInt16BE(this.payloadStart + 2) * 4;
    }
    this.payloadEnd = bytes.length - ((first & 0x20) === 0 ? 0 : (bytes[bytes.length - 1] ?? 0));
    return this.payloadStart <= this.payloadEnd;
  }
}
