import type { ToWorker } from "./messages.ts";
import type { TaskNews, TaskOrder, TaskResult, TaskResults, TaskStart, TaskType } from "./tasks.ts";

/** What a task tells while it is running. */
export interface TaskListener {
  onNews?(news: TaskNews): void;
  onSamples?(samples: Int16Array): void;
}

interface PendingTask extends TaskListener {
  resolve(result: TaskResult): void;
  reject(error: Error): void;
  /** What it ends with when the worker does not say. */
  readonly lost: TaskResult;
}

/** A task in the worker, as this thread holds it. */
export interface SessionTask<T extends TaskType> {
  readonly finished: Promise<TaskResults[T]>;
  /** Nothing happens once it is over. */
  order(order: TaskOrder): void;
}

/** What a call in a worker was asked to do, and has not finished yet. */
export class SessionTasks {
  readonly #call: number;
  readonly #post: (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void;
  readonly #pending = new Map<number, PendingTask>();
  #last = 0;
  /** Nothing is asked any more. */
  #isOver = false;

  constructor(call: number, post: (message: ToWorker, transfer?: readonly ArrayBuffer[]) => void) {
    this.#call = call;
    this.#post = post;
  }

  /** @param lost What it ends with when the call is over before it, and the worker does not say more. */
  start<T extends TaskType>(
    start: Extract<TaskStart, { readonly type: T }>,
    lost: TaskResults[T],
    listener: TaskListener = {},
  ): SessionTask<T> {
    this.#last += 1;
    const task = this.#last;
    if (this.#isOver) return { finished: Promise.resolve(lost), order: () => {} };
    const finished = new Promise<TaskResult>((resolve, reject) => {
      this.#pending.set(task, { ...listener, lost, resolve, reject });
    });
    this.#post({ type: "task", call: this.#call, task, start });
    // The worker ends a task with the result of its type.
    return {
      finished: finished as Promise<TaskResults[T]>,
      order: (order) => this.#order(task, order),
    };
  }

  /** The call is closed: what the worker still says about its tasks counts, but nothing is asked of them. */
  close(): void {
    this.#isOver = true;
  }

  /** The worker says no more. */
  end(): void {
    this.#isOver = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const task of pending) task.resolve(task.lost);
  }

  done(task: number, result: TaskResult): void {
    this.#take(task)?.resolve(result);
  }

  refused(task: number, error: Error): void {
    this.#take(task)?.reject(error);
  }

  news(task: number, news: TaskNews): void {
    this.#pending.get(task)?.onNews?.(news);
  }

  samples(task: number, samples: Int16Array): void {
    this.#pending.get(task)?.onSamples?.(samples);
  }

  #order(task: number, order: TaskOrder): void {
    if (this.#isOver || !this.#pending.has(task)) return;
    const message: ToWorker = { type: "task-order", call: this.#call, task, order };
    if (order.type !== "write") this.#post(message);
    else this.#post(message, [order.samples.buffer as ArrayBuffer]);
  }

  #take(task: number): PendingTask | undefined {
    const pending = this.#pending.get(task);
    this.#pending.delete(task);
    return pending;
  }
}
