/** Sliding window over packet indexes up to 2^53 (RFC 3711 §3.3.2, RFC 6347 §4.1.2.6). */
export class ReplayWindow {
  /** True when the index is new and not too old. Changes nothing. */
  isNew(_index: number): boolean {
    throw new Error("not built yet");
  }

  /** Remembers an index whose packet has proved authentic. */
  accept(_index: number): void {
    throw new Error("not built yet");
  }
}
