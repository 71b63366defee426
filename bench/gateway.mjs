// The program under test, in a process of its own: answers every call and plays the sample in a loop.
// Over IPC it takes { start }, answers each { sample } with its CPU time, and ends at { stop }.
import { createGateway } from "ringback";

let gateway = null;

process.on("message", (message) => {
  if (message.start) void start(message.start);
  if (message.sample) sample();
  if (message.stop) void gateway.close().then(() => process.disconnect());
});

async function start({ graphUrl, phoneNumberId, file }) {
  gateway = createGateway({
    token: "simulator-token",
    appSecret: "simulator-app-secret",
    verifyToken: "simulator-verify-token",
    phoneNumbers: [phoneNumberId],
    graph: { url: graphUrl },
    media: { bindAddress: "127.0.0.1", workers: 1 },
  }).onCall(async (call) => {
    const playing = call.play(file, { loop: true });
    await call.answer();
    await playing;
  });
  await gateway.preload(file);
  const { url } = await gateway.listen({ port: 0 });
  process.send({ url });
}

function sample() {
  const { user, system } = process.cpuUsage();
  const slotsSkipped = gateway.status.media.workers.reduce((sum, worker) => sum + worker.skippedSlots, 0);
  process.send({ cpuMs: (user + system) / 1000, slotsSkipped });
}
