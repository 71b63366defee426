// The program under test, in a process of its own: answers every call and plays the sample in a loop.
// Over IPC it takes { start }, answers each { sample } with its CPU time and memory, and ends at { stop }.
import { createGateway } from "ringback";

let gateway = null;

process.on("message", (message) => {
  if (message.start) void start(message.start);
  if (message.sample) sample(message.sample);
  if (message.stop) void gateway.close().then(() => process.disconnect());
});

async function start({ graphUrl, phoneNumberId, file }) {
  gateway = createGateway({
    token: "simulator-token",
    appSecret: "simulator-app-secret",
    verifyToken: "simulator-verify-token",
    phoneNumbers: [phoneNumberId],
    graph: { url: graphUrl },
    media: { bindAddress: "127.0.0.1" },
  }).onCall(async (call) => {
    const playing = call.play(file, { loop: true });
    await call.answer();
    await playing;
  });
  await gateway.preload(file);
  const { url } = await gateway.listen({ port: 0 });
  process.send({ url });
}

/** CPU first: collecting garbage is the measurement's cost, not the calls'. */
function sample({ memory }) {
  const { user, system } = process.cpuUsage();
  if (memory) globalThis.gc?.();
  process.send({
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
    slotsSkipped: gateway.status.mediaSlotsSkipped,
  });
}
