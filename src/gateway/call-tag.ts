const TAG_CHARS = 16;

/**
 * What stands for a call in logs: the end of its id. The beginning is the caller's phone number in base64
 * (`wacid.HBgL` + number; seen in ids of Meta's own samples, read 2026-11-22), the end is random.
 */
export function callTag(callId: string): string {
  return callId.slice(-TAG_CHARS);
}
