// A simulated WhatsApp in a thread of its own, whose phone hears on while the test's thread stands still.
import { connectToParent } from "../../src/platform/worker-thread.ts";
import { createSimulator } from "../../src/simulator/index.ts";

/** What a gateway needs to know of it. */
export interface ThreadedWhatsApp {
  readonly type: "started";
  readonly token: string;
  readonly appSecret: string;
  readonly verifyToken: string;
  readonly phoneNumbers: readonly string[];
  readonly graphUrl: string;
}

/** What the phone heard. */
export interface HeardReport {
  readonly type: "report";
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly longestGapMs: number;
}

/** Places one call, and ends after its report. */
export interface PlaceCall {
  readonly webhookUrl: string;
  readonly hangUpAfterMs: number;
}

const parent = connectToParent<ThreadedWhatsApp | HeardReport, PlaceCall>();
const simulator = createSimulator();
await simulator.start();
parent.listen((order) => void placeCall(order));
const { token, appSecret, verifyToken, graphUrl } = simulator;
const phoneNumbers = simulator.phoneNumbers.map(({ id }) => id);
parent.post({ type: "started", token, appSecret, verifyToken, phoneNumbers, graphUrl });

async function placeCall({ webhookUrl, hangUpAfterMs }: PlaceCall): Promise<void> {
  simulator.webhookUrl = webhookUrl;
  const call = await simulator.call({ hangUpAfterMs });
  const { packetsReceived, packetsLost, longestGapMs } = (await call.ended).media;
  parent.post({ type: "report", packetsReceived, packetsLost, longestGapMs });
  await simulator.close();
  parent.close();
}
