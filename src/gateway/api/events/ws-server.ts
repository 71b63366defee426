import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { TimerHandle } from "../../../platform/timers.ts";
import type { ApiKeyRecord } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { toProblem } from "../http/problem-reply.ts";
import { ApiProblem, PROBLEM_CONTENT_TYPE, PROBLEMS, toProblemDocument } from "../problems.ts";
import type { UpgradeHandler } from "../route.ts";
import { filterFor } from "./event-query.ts";
import type { EventStreams } from "./event-streams.ts";
import { isAllowedOrigin } from "./origin.ts";
import type { StreamSession } from "./stream-session.ts";
import { errorText, readClientMessage, readyText, type SubscribeMessage } from "./ws-messages.ts";
import { WsTransport } from "./ws-transport.ts";

const SUBPROTOCOL = "ringback.v1";
/** Clients have little to say. */
const MAX_MESSAGE_BYTES = 4_096;
/** For the end of a connection when the gateway closes, in ms. */
const SHUTDOWN_GRACE_MS = 1_000;

type Upgrade = Parameters<UpgradeHandler<undefined, undefined>>[0];

/** The events' WebSockets. */
export class WsServer {
  readonly #context: ApiContext;
  readonly #streams: EventStreams;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    // Compression costs memory for each client, and events are short.
    perMessageDeflate: false,
    // The key among the subprotocols is never said back.
    handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  constructor(context: ApiContext, streams: EventStreams) {
    this.#context = context;
    this.#streams = streams;
  }

  accept({ request, socket, head }: Upgrade, key: ApiKeyRecord): void {
    try {
      const { origin, host } = request.headers;
      if (!isAllowedOrigin(origin, host, this.#context)) {
        throw new ApiProblem("origin_refused", "Pages of this origin may not connect here (allowedOrigins).");
      }
      const giveBack = this.#streams.takeSlot(key);
      socket.once("close", giveBack);
      this.#server.handleUpgrade(request, socket, head, (client) => {
        new WsClient(client, key, this.#streams).start();
      });
    } catch (error) {
      refuse(socket, toProblem(error, this.#context.logger));
    }
  }
}

/** One connection, from its handshake to its close. */
class WsClient {
  readonly #socket: WebSocket;
  readonly #key: ApiKeyRecord;
  readonly #streams: EventStreams;
  #hasSubscribed = false;
  #transport: WsTransport | null = null;
  #session: StreamSession | null = null;
  #cutting: TimerHandle | null = null;

  constructor(socket: WebSocket, key: ApiKeyRecord, streams: EventStreams) {
    this.#socket = socket;
    this.#key = key;
    this.#streams = streams;
  }

  start(): void {
    const { timers, times } = this.#streams.deps;
    const timer = timers.setTimer(times.subscribeMs, () => {
      if (!this.#hasSubscribed) this.#refuse("subscribe_missing", "Say what you want: subscribe.");
    });
    const untrack = this.#streams.onShutdown(() => this.#shutDown());
    // Without a listener, a broken frame of a client would end the process. `close` follows.
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.once("close", () => {
      timers.clearTimer(timer);
      if (this.#cutting !== null) timers.clearTimer(this.#cutting);
      untrack();
      if (this.#session !== null) this.#streams.forget(this.#session);
    });
  }

  /** The gateway does not wait for a client that does not answer. */
  #shutDown(): void {
    this.#socket.close(1001, "shutdown");
    this.#cutting = this.#streams.deps.timers.setTimer(SHUTDOWN_GRACE_MS, () => this.#socket.terminate());
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const message = isBinary ? null : readClientMessage(textOf(data));
    if (message === null) this.#refuse("message_invalid", "A message is subscribe or ack, in JSON.");
    else if (message.type === "subscribe") void this.#subscribe(message);
    else if (this.#transport?.acknowledge(message.cursor) !== true)
      this.#refuse("ack_unexpected", "More was acknowledged than was sent.");
  }

  async #subscribe({ after, filter: asked = {}, window }: SubscribeMessage): Promise<void> {
    if (this.#hasSubscribed) return this.#refuse("subscribed_already", "One connection subscribes once.");
    this.#hasSubscribed = true;
    try {
      const filter = filterFor(this.#key, asked);
      const position = await this.#streams.positionOf(after, "now");
      const cursors = await this.#streams.keys.cursors();
      const transport = new WsTransport(this.#socket, window ?? null);
      const session = await this.#streams.open(this.#key, filter, position, transport);
      this.#transport = transport;
      this.#session = session;
      if (this.#socket.readyState !== this.#socket.OPEN) return this.#streams.forget(session);
      this.#socket.send(readyText(cursors.write("events", position)));
      session.start();
    } catch (error) {
      const { code, message } = toProblem(error, this.#streams.deps.logger);
      this.#refuse(code, message);
    }
  }

  /** A client that is mistaken is told so, and its connection closed. */
  #refuse(code: string, detail: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#session?.stop();
    this.#socket.send(errorText(code, detail));
    this.#socket.close(1008, code);
  }
}

/** A message comes in one piece, or as its fragments. */
function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
}

/** The answer to a handshake that comes to nothing: the connection is not HTTP's any more. */
function refuse(socket: Duplex, problem: ApiProblem): void {
  const body = JSON.stringify(toProblemDocument(problem));
  const headers = Object.entries({
    ...problem.headers,
    "content-type": PROBLEM_CONTENT_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${PROBLEMS[problem.code].title}\r\n${headers.join("")}\r\n${body}`);
}
