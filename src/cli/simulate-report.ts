import { isRingbackError } from "../errors.ts";
import type {
  GraphRequestRecord,
  NetworkCounts,
  PhoneCallReport,
  PhoneMediaReport,
  Simulator,
} from "../simulator/index.ts";

export const DEFAULT_APP_SECRET = "simulator-app-secret";

/** One line about a request of the business. */
export function describeRequest({ action, status, details, fault }: GraphRequestRecord): string {
  const request = action === "unknown" ? "a request of no known action" : action;
  const cause = fault === null ? "" : ` (fault ${fault})`;
  if (status === null) return `${request} left without an answer${cause}`;
  if (details !== null) return `${request} refused with HTTP ${status}: ${details}${cause}`;
  return `${request} answered with HTTP ${status}${fault === "garbage" ? " and no JSON" : ""}${cause}`;
}

const TOKEN_HINT = "; the program's WHATSAPP_TOKEN must be simulator-token";

/** What the caller's side measured, in lines. */
export function describeReport(name: string, report: PhoneCallReport): readonly string[] {
  const { media, timeline } = report;
  const lines = [
    `${name} ${report.status}, ended by ${report.endedBy}, ${report.durationSeconds ?? 0} s`,
    `  accept           ${since(timeline.webhookSentMs, timeline.acceptMs)}`,
    `  first audio      ${since(timeline.webhookSentMs, timeline.firstRtpMs)}`,
    `  received         ${media.packetsReceived} packets, ${media.packetsLost} lost, ${media.packetsDuplicate} twice`,
    `  gaps             longest ${media.longestGapMs.toFixed(0)} ms, 99 % below ${media.gapP99Ms.toFixed(0)} ms`,
    `  sent             ${media.packetsSent} packets`,
    ...describeNetwork(media),
    ...describeFlaws(media).map((flaw) => `  ! ${flaw}`),
  ];
  return media.digits === "" ? lines : [...lines, `  digits heard     ${media.digits}`];
}

/** Why the call did not work, null when the caller was answered and heard audio until the end. */
export function describeFailure(report: PhoneCallReport): string | null {
  const { acceptMs, firstRtpMs } = report.timeline;
  if (acceptMs === null) return describeUnanswered(report);
  if (firstRtpMs === null) {
    return `no RTP until the call ended (${report.endedBy}): ${blame(report.media)}`;
  }
  return report.errorCode === null
    ? null
    : `audio stopped and the call was ended with ${report.errorCode}: send packets also when there is nothing to say`;
}

/** Why there was no call at all. */
export function describeUnplaced(error: unknown, simulator: Simulator): string {
  if (!isRingbackError(error, "SIMULATOR_WEBHOOK_REFUSED")) {
    return error instanceof Error ? error.message : "the call could not be placed";
  }
  const { status } = error.details;
  if (status !== null)
    return `webhook refused with HTTP ${status}: ${WEBHOOK_ADVICE[status] ?? OTHER_ADVICE}`;
  if (error.cause instanceof Error && error.cause.name === "TimeoutError") {
    return "webhook not answered in time: answer with 200 at once, and do the work after it";
  }
  return `webhook not reached at ${simulator.webhookUrl}; start the program under test with\n${settingsLine(simulator)}`;
}

const WEBHOOK_ADVICE: Readonly<Record<number, string>> = {
  401: "is --app-secret the app secret of the program under test (WHATSAPP_APP_SECRET)?",
  403: "is --app-secret the app secret of the program under test (WHATSAPP_APP_SECRET)?",
  404: "is the path of --webhook right?",
  405: "is the path of --webhook right? It takes POST requests",
};
const OTHER_ADVICE = "expected 200; the log of the program under test tells more";

/** The environment of a gateway that shall talk to this simulator. */
function settingsLine(simulator: Simulator): string {
  return [
    `GRAPH_API_URL=${simulator.graphUrl}`,
    `WHATSAPP_TOKEN=${simulator.token}`,
    `WHATSAPP_PHONE_NUMBER_ID=${simulator.phoneNumbers[0]?.id}`,
    // A secret that the user gave may be a real one, and terminals are recorded.
    `WHATSAPP_APP_SECRET=${simulator.appSecret === DEFAULT_APP_SECRET ? DEFAULT_APP_SECRET : "(your --app-secret)"}`,
    `WHATSAPP_WEBHOOK_VERIFICATION_TOKEN=${simulator.verifyToken}`,
  ].join(" ");
}

function describeUnanswered({ graphRequests, endedBy }: PhoneCallReport): string {
  const refusals = graphRequests.filter(({ status, fault }) => status !== 200 || fault === "garbage");
  // A reject that failed too is not the reason.
  const refused = refusals.findLast(({ action }) => action !== "reject") ?? refusals.at(-1);
  if (refused !== undefined) {
    const hint = refused.status === 401 && refused.fault === null ? TOKEN_HINT : "";
    return describeRequest(refused) + hint;
  }
  switch (endedBy) {
    case "rejected":
      return "not accepted: the business rejected the call";
    case "business":
      return "not accepted: the business ended the call";
    case "not-answered":
      return `not accepted: the time to answer ran out; ${
        graphRequests.length === 0
          ? "no request came, is GRAPH_API_URL of the program the URL above?"
          : "pre_accept came, but no accept"
      }`;
    case "caller":
    case "simulator":
    case "no-media":
    case "media-gap":
      return "not accepted: the caller gave up";
  }
}

/** The first thing that a media path needs and that did not happen. */
function blame(media: PhoneMediaReport): string {
  if (media.iceConnectedMs === null) {
    if (media.roleConflicts > 0)
      return "the business claims to be ICE-controlled; WhatsApp's side is ICE-lite";
    return media.checksUnauthorized > 0
      ? "ICE checks came in with a wrong user name or password"
      : "no ICE check reached the phone";
  }
  if (media.dtlsConnectedMs === null) return "ICE is up, but the DTLS handshake did not finish";
  if (media.rtcpReceived > 0) return "DTLS is up, RTCP came in, but no audio";
  return media.packetsReceived > 0
    ? "audio came before the accept and stopped"
    : "DTLS is up, but nothing was sent";
}

/** What the network was asked to lose, and lost. */
function describeNetwork({ network }: PhoneMediaReport): readonly string[] {
  if (network === null) return [];
  const loss = ({ lost, passed }: NetworkCounts): string => `${lost} of ${lost + passed}`;
  return [
    `  network          lost ${loss(network.toBusiness)} datagrams to the program, ${loss(network.toPhone)} to the caller`,
  ];
}

/** What WhatsApp would stumble over. */
function describeFlaws(media: PhoneMediaReport): readonly string[] {
  const flaws: readonly (readonly [number, string])[] = [
    [
      media.packetsBeforeAccept,
      "packets came before the accept: WhatsApp starts the caller's timer at the first one",
    ],
    [media.packetsBeforeDtls, "packets came before DTLS was done: the caller does not hear them"],
    [media.packetsWrongPayloadType, "packets have a payload type that was not offered"],
    [media.packetsWrongDuration, "packets are not 20 ms long"],
    [media.badTimestampSteps, "timestamps do not step by 20 ms"],
    [media.ssrcCount > 1 ? media.ssrcCount : 0, "SSRCs: WhatsApp takes one"],
    [media.packetsRejected, "datagrams were unreadable"],
  ];
  return flaws.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
}

function since(fromMs: number, atMs: number | null): string {
  return atMs === null ? "never" : `${(atMs - fromMs).toFixed(0)} ms after the webhook`;
}
