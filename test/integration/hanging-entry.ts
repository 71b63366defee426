// A media worker's thread that stops for good, in an endless loop, when it is told to.
import { parentPort } from "node:worker_threads";
import "../../src/media/worker/entry.ts";

parentPort?.on("message", (message: { readonly type: string }) => {
  if (message.type !== "hang") return;
  for (;;);
});
