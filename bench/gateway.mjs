// The program under test, in a process of its own. Over IPC it takes { start }, answers each { sample } with its CPU time, and ends
// at { stop }. `does` says what becomes of a call: `play` the file in a loop, or `reject` it.
import { createGateway } from "ringback";
import { LightEngine } from "./light-engine.mjs";

let gateway = null;

process.on("message", (message) => {
  if (message.start) void start(message.start);
  if (message.sample) sample();
  if (message.stop) void gateway.close().then(() => process.disconnect());
});

async function start({ graphUrl, phoneNumberId, file, store, does = "play", events }) {
  gateway = createGateway({
    token: "simulator-token",
    appSecret: "simulator-app-secret",
    verifyToken: "simulator-verify-token",
    phoneNumbers: [phoneNumberId],
    graph: { url: graphUrl },
    media: does === "play" ? { bindAddress: "127.0.0.1", workers: 1 } : { engine: new LightEngine() },
    requests: { allowHttp: true, allowedHosts: ["127.0.0.1"] },
    store,
    ...(events === undefined ? {} : { events }),
  }).onCall(does === "play" ? (call) => play(call, file) : (call) => call.reject());
  if (does === "play") await gateway.preload(file);
  const { url } = await gateway.listen({ port: 0 });
  process.send({ url });
}

async function play(call, file) {
  const playing = call.play(file, { loop: true });
  await call.answer();
  await playing;
}

function sample() {
  const { user, system } = process.cpuUsage();
  const slotsSkipped = gateway.status.media.workers.reduce((sum, worker) => sum + worker.skippedSlots, 0);
  process.send({ cpuMs: (user + system) / 1000, slotsSkipped });
}
