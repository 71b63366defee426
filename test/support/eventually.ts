import { vi } from "vitest";

/** Long enough for a busy machine; what holds at once is not waited for. */
const PATIENCE_MS = 10_000;

/** Waits until the check throws no more, and hands back what it returned. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE_MS);
}
