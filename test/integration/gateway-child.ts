// Records every call until it is killed: `gateway-child.mjs <options>`, which are JSON. Prints its URL, and each recording as it begins.
import { createGateway, type GatewayOptions } from "../../src/index.ts";

const options = JSON.parse(process.argv[2] ?? "") as GatewayOptions & { readonly file: string };

const gateway = createGateway({ store: "memory", ...options }).onCall(async (call) => {
  await call.answer();
  void call.tone({ frequencyHz: 1_000, durationMs: 1_000 }, { loop: true });
  call.startRecording({ consent: "none", file: options.file });
  process.stdout.write("recording\n");
});
const { url } = await gateway.listen({ port: 0 });
process.stdout.write(`${url}\n`);
