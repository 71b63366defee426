// What the Node programs under test have in common: JSON lines on stdin and stdout.
//   <- { ready: true, name, version, ports }                 once, first
//   -> { id, do: "answer", call, sdp }  <- { id, sdp }       answers an offer and plays the file from connection on
//   -> { id, do: "hangUp", call }       <- { id }
//   -> { id, do: "sample", gc }         <- { id, packetsSent, packetsReceived, packetsLost, calls, ... }
//   -> { do: "stop" }                                        and the process ends
import { createInterface } from "node:readline";

export function serve({ facts, answer, hangUp, sample, close }) {
  const handlers = { answer, hangUp, sample };
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const { id, do: name, ...options } = JSON.parse(line);
    if (name === "stop") lines.close();
    else void respond(id, handlers[name], options);
  });
  lines.on("close", () => void close());
  write({ ready: true, ...facts });
}

async function respond(id, handle, options) {
  try {
    const { afterwards, ...result } = (await handle(options)) ?? {};
    write({ id, ...result });
    // What must not happen before the other side could have read the answer.
    afterwards?.();
  } catch (error) {
    write({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
