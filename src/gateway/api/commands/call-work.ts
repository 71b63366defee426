import type { Bridge, Recording } from "../../verbs/types.ts";

/** What a command keeps busy, as `stop` names it; `other` cannot be stopped. */
export type WorkKind = "playback" | "gather" | "recording" | "flow" | "other";

/** A command that is under way. */
export interface Task {
  readonly kind: WorkKind;
  /** Aborts when it is stopped. */
  readonly signal: AbortSignal;
  stop(): void;
  /** It is under way no longer. */
  end(): void;
}

/** What the commands of one call are at. */
export class CallWork {
  readonly #tasks = new Set<Task>();
  /** Those that can be paused, the newest last. */
  readonly recordings: Set<Recording> = new Set();
  bridge: Bridge | null = null;

  get size(): number {
    return this.#tasks.size;
  }

  begin(kind: WorkKind): Task {
    const stopping = new AbortController();
    const task: Task = {
      kind,
      signal: stopping.signal,
      stop: () => stopping.abort(),
      end: () => this.#tasks.delete(task),
    };
    this.#tasks.add(task);
    return task;
  }

  /** Stops what is under way of a kind, or of all that can be stopped. Returns how many there were. */
  stop(kind: WorkKind | "all", except: Task | null = null): number {
    const stopped = [...this.#tasks].filter(
      (task) => task !== except && (kind === "all" ? task.kind !== "other" : task.kind === kind),
    );
    for (const task of stopped) task.stop();
    return stopped.length;
  }
}
