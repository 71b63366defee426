// A process of its own that owns a store: `writing-child.mjs <options as JSON>`. It tells the key of each webhook once that is journalled.
import { openStore, type StoreOptions } from "../../src/store/index.ts";
import { storeDeps } from "./child-deps.ts";
import { newWebhook } from "./samples.ts";

const store = await openStore(JSON.parse(process.argv[2] ?? "") as StoreOptions, storeDeps);

for (let index = 0; ; index += 10) {
  const keys = Array.from({ length: 10 }, (_, offset) => `k${index + offset}`);
  await Promise.all(
    keys.map(async (key) => {
      await store.journal.append(newWebhook([key]));
      process.stdout.write(`${key}\n`);
    }),
  );
}
