import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawAnswer {
  /** Everything that came until the other side closed, or nothing came for a while. */
  readonly text: string;
  /** Status codes of the answers in it. */
  readonly statuses: readonly number[];
  /** Whether the other side has closed. */
  readonly isClosed: boolean;
}

const QUIET_MS = 1_500;

/** Sends bytes as they are, in parts if there are several, and gives what came back. */
export async function rawHttp(url: string, parts: readonly string[], partEveryMs = 0): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", () => {});
  const closed = once(socket, "close").then(() => true);
  await once(socket, "connect");
  await sendAll(socket, parts, partEveryMs);
  const isClosed = await Promise.race([closed, quiet(socket)]);
  socket.destroy();
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
  return { text, statuses, isClosed };
}

async function sendAll(socket: Socket, parts: readonly string[], partEveryMs: number): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(part, "latin1");
    if (partEveryMs > 0) await new Promise((resolve) => setTimeout(resolve, partEveryMs));
  }
}

/** Resolves when nothing has come for a while. */
function quiet(socket: Socket): Promise<false> {
  return new Promise((resolve) => {
    socket.setTimeout(QUIET_MS, () => resolve(false));
  });
}
