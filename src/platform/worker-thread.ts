import { parentPort, Worker, workerData } from "node:worker_threads";

/** A thread of this process, as the one who started it holds it. */
export interface WorkerThread<ToThread> {
  /**
   * Hands over a copy of the message; shared memory is shared. Nothing happens when the thread is gone.
   *
   * @param transfer Buffers that go over without a copy; they are empty here afterwards.
   */
  post(message: ToThread, transfer?: readonly ArrayBuffer[]): void;
  /** Ends it at once, in the middle of whatever it does. Resolves when it is gone. Idempotent. */
  terminate(): Promise<void>;
}

export interface WorkerThreadListener<FromThread> {
  onMessage(message: FromThread): void;
  /** The thread is gone; nothing comes after it. `error`: what it threw or ran out of, null when there is no such thing. */
  onExit(error: unknown): void;
}

/** Starts a thread on the module `entry`, which finds `data` at its `connectToParent`. It keeps the process alive. */
export function startWorkerThread<ToThread, FromThread>(
  entry: URL,
  data: unknown,
  listener: WorkerThreadListener<FromThread>,
): WorkerThread<ToThread> {
  const worker = new Worker(entry, { workerData: data, ...threadArguments() });
  let failure: unknown = null;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  worker.on("error", fail);
  worker.on("messageerror", (error) => {
    // A message that cannot be read is lost, and with it what both sides agree on.
    fail(error);
    void worker.terminate();
  });
  worker.on("message", (message: FromThread) => listener.onMessage(message));
  worker.on("exit", () => listener.onExit(failure));
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    terminate: async () => void (await worker.terminate()),
  };
}

/** A thread's own end of the connection. */
export interface ThreadParent<FromThread, ToThread> {
  /** What the thread was started with. */
  readonly data: unknown;
  /** @param transfer Buffers that go over without a copy; they are empty here afterwards. */
  post(message: FromThread, transfer?: readonly ArrayBuffer[]): void;
  /** Takes the messages from now on; those that came before are kept until then. */
  listen(onMessage: (message: ToThread) => void): void;
  /** Lets go: the thread ends when nothing else is left for it to do. */
  close(): void;
}

/** Connects the module that a thread was started on. Once, in a thread only. */
export function connectToParent<FromThread, ToThread>(): ThreadParent<FromThread, ToThread> {
  const port = parentPort;
  if (port === null) throw new Error("This module runs in a worker thread only.");
  return {
    data: workerData,
    post: (message, transfer = []) => port.postMessage(message, transfer),
    listen: (onMessage) => void port.on("message", onMessage),
    close: () => port.close(),
  };
}

/** A program given with --eval passes on how it is to be read, which no module file can be read by. */
function threadArguments(): { readonly execArgv?: string[] } {
  const isEvaluated = process.execArgv.some((argument) => argument.startsWith("--input-type"));
  return isEvaluated ? { execArgv: [] } : {};
}
