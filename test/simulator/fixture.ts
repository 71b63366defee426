import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PhoneMedia, PhoneMediaReport } from "../../src/simulator/phone/phone-media.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { PhoneMediaFactory } from "../../src/simulator/simulator-options.ts";

/** Text of an SDP sample, line ends as captured. */
export function readSdp(name: string): string {
  return readFileSync(new URL(`../fixtures/sdp/${name}.sdp`, import.meta.url), "utf8");
}

const EMPTY_REPORT: PhoneMediaReport = {
  iceConnectedMs: null,
  dtlsConnectedMs: null,
  srtpProfile: null,
  firstRtpMs: null,
  lastRtpMs: null,
  packetsReceived: 0,
  rtcpReceived: 0,
  packetsWrongDuration: 0,
  checksUnauthorized: 0,
  packetsLost: 0,
  packetsDuplicate: 0,
  packetsWrongPayloadType: 0,
  packetsBeforeAccept: 0,
  packetsBeforeDtls: 0,
  packetsRejected: 0,
  ssrcCount: 0,
  longestGapMs: 0,
  gapP99Ms: 0,
  badTimestampSteps: 0,
  markers: 0,
  digits: "",
  packetsSent: 0,
  pressed: [],
  spoken: [],
  network: null,
  roleConflicts: 0,
};

/** A phone without a socket: it notes what it is told, and hears what the test says. */
export interface FakePhone extends PhoneMedia {
  readonly told: readonly string[];
  /** As if an authentic RTP packet had come in. */
  hear(): void;
}

export function createFakePhones(): {
  readonly factory: PhoneMediaFactory;
  readonly phones: readonly FakePhone[];
} {
  const phones: FakePhone[] = [];
  return {
    phones,
    factory: (options) => {
      const phone = createFakePhone(() => options.clock.nowMs());
      phones.push(phone);
      return Promise.resolve(phone);
    },
  };
}

function createFakePhone(nowMs: () => number): FakePhone {
  const told: string[] = [];
  let resolveFirst: (atMs: number | null) => void = () => {};
  const firstRtp = new Promise<number | null>((resolve) => {
    resolveFirst = resolve;
  });
  let lastReceivedAtMs: number | null = null;
  const candidate = { componentId: 1, transport: "udp", port: 3480, type: "host" } as const;
  return {
    told,
    startedAtMs: nowMs(),
    firstRtp,
    parameters: {
      iceUfrag: "NvPeRHRlBReaRYCZ",
      icePwd: "+219v9nKr3xSQIn8s+Fy8g==",
      sha256Fingerprint: Array.from({ length: 32 }, () => "A7").join(":"),
      candidates: [
        { ...candidate, foundation: "2275956755", priority: 2_122_260_223, address: "127.0.0.1" },
        { ...candidate, foundation: "2684782176", priority: 2_122_262_783, address: "::1" },
      ],
      ssrc: 613_016_344,
    },
    get lastReceivedAtMs() {
      return lastReceivedAtMs;
    },
    hear() {
      lastReceivedAtMs = nowMs();
      resolveFirst(lastReceivedAtMs);
    },
    applyAnswer: (answer) => told.push(`answer ${answer.setup}`),
    markAccepted: () => told.push("accepted"),
    sendDigits: async (digits) => {
      told.push(`digits ${digits}`);
      return [];
    },
    say: async () => {
      told.push("speech");
      return { isComplete: true, firstPacketAtMs: null, lastPacketAtMs: null, parts: [] };
    },
    goSilent: () => told.push("silent"),
    report: () => EMPTY_REPORT,
    heardPcm: () => new Int16Array(0),
    heardStartMs: null,
    sentPcm: () => new Int16Array(0),
    sentStartMs: null,
    heardPackets: () => [],
    spansHeard: () => [],
    lastToneAtMs: () => null,
    hears: async () => null,
    waitForTone: async () => null,
    close: async () => {
      told.push("closed");
      resolveFirst(null);
    },
  };
}

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
}

/** A webhook endpoint that keeps what comes in. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  /** The next answers; after them 200. `hang` gives no answer. */
  readonly answers: (number | "hang")[];
  /** Cuts the connections that hang. */
  letGo(): Promise<void>;
  /** Events of all calls, in order of arrival. */
  events(): readonly WireCall[];
}

export interface WireCall {
  readonly id: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export async function startReceiver(verifyToken = "simulator-verify-token"): Promise<Receiver> {
  const received: ReceivedWebhook[] = [];
  const answers: (number | "hang")[] = [];
  const hanging: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (request.method === "GET") {
      const isRight = url.searchParams.get("hub.verify_token") === verifyToken;
      response.writeHead(isRight ? 200 : 403).end(isRight ? url.searchParams.get("hub.challenge") : "");
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, rawBody: Buffer.concat(chunks) });
      const answer = answers.shift() ?? 200;
      if (answer === "hang") hanging.push(response);
      else response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    received,
    answers,
    letGo: async () => {
      for (const response of hanging.splice(0)) response.destroy();
    },
    events: () => received.flatMap(({ rawBody }) => callsOf(rawBody)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

export function callsOf(rawBody: Buffer): readonly WireCall[] {
  const envelope = JSON.parse(rawBody.toString("latin1")) as {
    entry: { changes: { value: { calls?: WireCall[] } }[] }[];
  };
  return envelope.entry.flatMap(({ changes }) => changes.flatMap(({ value }) => value.calls ?? []));
}

export interface GraphAnswer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error?: Record<string, unknown> };
}

/** Sends a request to the simulator's Graph API as the program under test would. */
export async function requestGraph(
  simulator: Simulator,
  path: string,
  options: { readonly body?: unknown; readonly token?: string } = {},
): Promise<GraphAnswer> {
  const answer = await fetch(`${simulator.graphUrl}${path}`, {
    method: options.body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${options.token ?? simulator.token}`,
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  return { status: answer.status, body: (await answer.json()) as GraphAnswer["body"] };
}

export const CALLS_PATH = "/v26.0/100000000000001/calls";
export const SETTINGS_PATH = "/v26.0/100000000000001/settings";

/** One action about a call, with an answer where it needs one. */
export async function act(
  simulator: Simulator,
  action: string,
  callId: string,
  sdp: string = readSdp("aiortc-answer-fixed"),
): Promise<GraphAnswer> {
  const session = action.endsWith("accept") ? { session: { sdp_type: "answer", sdp } } : {};
  const body = { messaging_product: "whatsapp", call_id: callId, action, ...session };
  return await requestGraph(simulator, CALLS_PATH, { body });
}

/** Meta's most precise text, null when the request was taken. */
export function detailsOf({ body }: GraphAnswer): unknown {
  const data = body.error?.["error_data"];
  return typeof data === "object" && data !== null && "details" in data ? data.details : null;
}
