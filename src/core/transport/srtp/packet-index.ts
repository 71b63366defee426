/** RFC 3711 §9.2, RFC 7714 §14: a key protects no more packets than these. */
const MAX_RTP_INDEX = 2 ** 48 - 1;
const MAX_RTCP_INDEX = 2 ** 31 - 1;

/**
 * The index, rollover counter and sequence number, that a sequence number most likely means (RFC 3711 §3.3.1, appendix A).
 * @param highestIndex The highest one so far; -1 when there is none. Then the rollover counter is 0, as DTLS-SRTP starts.
 * @returns -1 when the index would be past what a key may protect.
 */
export function estimateRtpIndex(highestIndex: number, sequence: number): number {
  if (highestIndex < 0) return sequence;
  const highestSequence = highestIndex & 0xffff;
  const sameRollover = highestIndex - highestSequence + sequence;
  if (highestSequence >= 0x8000) {
    if (highestSequence - 0x8000 <= sequence) return sameRollover;
    return sameRollover + 0x10000 > MAX_RTP_INDEX ? -1 : sameRollover + 0x10000;
  }
  const isBeforeRollover = sequence - highestSequence > 0x8000;
  // Nothing is before the first rollover: there the RFC's formula would have the rollover counter wrap to 2^32 - 1.
  return isBeforeRollover && sameRollover >= 0x10000 ? sameRollover - 0x10000 : sameRollover;
}

/**
 * The index of the next packet to send. Two packets under one index would share a keystream, which gives both away, so
 * that sequence numbers only go up.
 * @returns -1 when the sequence number does not go up, or when the key is used up.
 */
export function nextRtpIndex(highestIndex: number, sequence: number): number {
  const index = estimateRtpIndex(highestIndex, sequence);
  return index > highestIndex ? index : -1;
}

/** RFC 3711 §3.4: from 0, one by one. @returns -1 when the key is used up. */
export function nextRtcpIndex(previousIndex: number): number {
  return previousIndex < MAX_RTCP_INDEX ? previousIndex + 1 : -1;
}
