import type { EncodedPrompt } from "../encoded-prompt.ts";
import type { HostedSession } from "../media-host.ts";
import type { MediaRecording, Ongoing, PcmWriter } from "../session-audio.ts";
import type { FrameBatcher } from "./frame-batch.ts";
import type { FromWorker } from "./messages.ts";
import type { TaskNews, TaskOrder, TaskResult, TaskStart } from "./tasks.ts";
import { toWireError } from "./wire-error.ts";

export interface WorkerTasksOptions {
  readonly call: number;
  readonly post: (message: FromWorker) => void;
  /** Takes what is heard, by call and task. */
  readonly samples: FrameBatcher;
  /** Prompts by their number; null for one that is not there. */
  readonly findPrompt: (prompt: number) => EncodedPrompt | null;
}

/** A task that is running: what it does when it is told to. */
interface RunningTask {
  readonly finished: Promise<TaskResult>;
  readonly obey: (order: TaskOrder) => void;
}

/** What a call in its worker is doing, by the numbers that the other thread gave. */
export class WorkerTasks {
  readonly #options: WorkerTasksOptions;
  readonly #running = new Map<number, RunningTask>();

  constructor(options: WorkerTasksOptions) {
    this.#options = options;
  }

  start(task: number, start: TaskStart, session: HostedSession): void {
    const { call, post } = this.#options;
    const running = this.#begin(task, start, session);
    this.#running.set(task, running);
    const reported = running.finished.then(
      (result) => post({ type: "task-done", call, task, result }),
      (error: unknown) => post({ type: "task-refused", call, task, error: toWireError(error) }),
    );
    void reported.finally(() => this.#running.delete(task));
  }

  obey(task: number, order: TaskOrder): void {
    this.#running.get(task)?.obey(order);
  }

  /** Resolves when what became of all of them has been posted. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ finished }) => finished));
  }

  #begin(task: number, start: TaskStart, session: HostedSession): RunningTask {
    const tell = (news: TaskNews): void =>
      this.#options.post({ type: "task-news", call: this.#options.call, task, news });
    switch (start.type) {
      case "play":
        return playing(session.play(this.#prompts(start.prompts), start.options));
      case "pcm":
        return playing(
          session.playPcm(start.options, {
            onMark: (mark, outcome) => tell({ type: "mark", mark, outcome }),
          }),
        );
      case "digits":
        return { finished: session.sendDigits(start.digits, start.options), obey: () => {} };
      case "listen":
        return ongoing(session.listen(start.options, (samples) => this.#hear(task, samples)));
      case "speech":
        return ongoing(session.watchSpeech(start.options, (news) => tell({ type: "speech", news })));
      case "record":
        return recording(session.record(start.options));
      case "bridge":
        return ongoing(session.bridge(start.ends));
    }
  }

  #hear(task: number, samples: Int16Array): void {
    const { samples: batcher, call } = this.#options;
    batcher.add(call, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), task);
  }

  #prompts(numbers: readonly number[]): readonly EncodedPrompt[] {
    return numbers.flatMap((number) => this.#options.findPrompt(number) ?? []);
  }
}

function playing(playback: ReturnType<HostedSession["play"]> & Partial<PcmWriter>): RunningTask {
  return {
    finished: playback.finished,
    obey: (order) => {
      if (order.type === "write") playback.write?.(order.samples);
      else if (order.type === "mark") playback.mark?.(order.mark);
      else playback[order.type]?.();
    },
  };
}

function ongoing(task: Ongoing): RunningTask {
  return {
    finished: task.finished,
    obey: ({ type }) => {
      if (type === "stop") task.stop();
    },
  };
}

function recording(task: MediaRecording): RunningTask {
  return {
    finished: task.finished,
    obey: ({ type }) => {
      if (type === "stop" || type === "pause" || type === "resume") task[type]();
    },
  };
}
