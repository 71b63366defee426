// Loaded with --import into every thread of a Node program under test: lets the bench collect a worker's garbage and
// see what it holds, without the product knowing of it.
import { isMainThread, threadId } from "node:worker_threads";

const channel = new BroadcastChannel("ringback-bench");
channel.unref();

if (!isMainThread) {
  channel.onmessage = ({ data }) => {
    if (data.ask !== "threads") return;
    if (data.gc) globalThis.gc?.();
    channel.postMessage({ threadId, ...look() });
  };
}

export function look() {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { heapUsed, external, arrayBuffers, resources: process.getActiveResourcesInfo().sort() };
}

/** Every thread's memory and resources; this one's first. Waits a moment for the others to answer. */
export async function threads({ gc, workers }) {
  if (gc) globalThis.gc?.();
  const found = [];
  if (workers > 0) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      channel.onmessage = ({ data }) => {
        if (data.threadId === undefined) return;
        found.push(data);
        if (found.length < workers) return;
        clearTimeout(timer);
        resolve();
      };
      channel.postMessage({ ask: "threads", gc });
    });
    channel.onmessage = null;
  }
  return [{ threadId, ...look() }, ...found];
}
