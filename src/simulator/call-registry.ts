import type { CallSession } from "./call-session.ts";

/** Meta Calling API, "FAQ" (read 2026-11-22): concurrent calls per business number. */
export const MAX_CONCURRENT_CALLS = 1_000;

const MAX_REMEMBERED_IDS = 10_000;

/** The calls under way, and the ids of those that are over. */
export class CallRegistry {
  readonly #sessions = new Map<string, CallSession>();
  readonly #endedIds = new Set<string>();

  get all(): readonly CallSession[] {
    return [...this.#sessions.values()];
  }

  /** Calls of one number that are not over. */
  countOf(phoneNumberId: string): number {
    let count = 0;
    for (const session of this.#sessions.values()) {
      if (session.phoneNumberId === phoneNumberId && session.phase !== "ended") count += 1;
    }
    return count;
  }

  /** Keeps the session until its report is out; after that, only its id. */
  add(session: CallSession): void {
    this.#sessions.set(session.callId, session);
    void session.ended.then(() => {
      this.#sessions.delete(session.callId);
      this.#remember(session.callId);
    });
  }

  find(callId: string): CallSession | "ended" | null {
    return this.#sessions.get(callId) ?? (this.#endedIds.has(callId) ? "ended" : null);
  }

  #remember(callId: string): void {
    this.#endedIds.add(callId);
    if (this.#endedIds.size <= MAX_REMEMBERED_IDS) return;
    for (const oldest of this.#endedIds) {
      this.#endedIds.delete(oldest);
      return;
    }
  }
}
