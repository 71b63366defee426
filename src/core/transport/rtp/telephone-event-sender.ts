/** Sends digits as RFC 4733 events, one packet per 20 ms slot in place of the audio's. Sans-IO. */
export class TelephoneEventSender {
  /** Digits that wait or are being sent. */
  get isIdle(): boolean {
    throw new Error("not built yet");
  }
}
