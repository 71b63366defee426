// Floods a port with junk from addresses that are no call's, evenly over time.
import { createSocket } from "node:dgram";
import { forgedCheck, forgedHello, forgedRecord, forgedRtcp, forgedRtp, noise } from "./junk.mjs";

const SOCKETS = 64;
const DATAGRAMS = 4_096;
const PERIOD_MS = 1;

const lookup = (address, _options, callback) => callback(null, address, 4);

process.on("message", ({ to, username, perSecond }) => {
  const sockets = Array.from({ length: SOCKETS }, (_, i) => openSocket(i));
  const datagrams = Array.from({ length: DATAGRAMS }, (_, i) => create(i, username));
  const beginMs = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - beginMs) * perSecond) / 1_000;
    for (; sent < due; sent++) {
      sockets[sent % SOCKETS].send(datagrams[sent % DATAGRAMS], to.port, to.address);
    }
  }, PERIOD_MS);
});
process.on("disconnect", () => process.exit());

/** All of 127.0.0.0/8 is this machine on Linux; elsewhere only 127.0.0.1 is. */
function openSocket(i) {
  const socket = createSocket({ type: "udp4", lookup });
  socket.on("error", () => {});
  if (process.platform === "linux") socket.bind(0, `127.0.1.${i + 1}`);
  return socket;
}

function create(i, username) {
  switch (i % 8) {
    case 0:
      return forgedCheck(username);
    case 1:
      return forgedCheck("0123456789abcdef:0123");
    case 2:
      return forgedHello();
    case 3:
      return forgedRecord(22, 1, 40);
    case 4:
      return forgedRtcp();
    case 5:
      return noise();
    default:
      return forgedRtp();
  }
}
