/** What is known of one of Meta's error codes. */
export interface CodeEntry {
  readonly name: string;
  readonly meaning: string;
  /** What the operator does about it. */
  readonly nextStep: string;
  /** Where the code is met: in answers of the Graph API, in webhooks, or in both. */
  readonly where: "graph" | "webhook" | "both";
  /** Whether the same request may succeed later without a change; absent where the HTTP status decides. */
  readonly retryable?: boolean;
  readonly source: string;
}

interface CodeGroup extends Pick<CodeEntry, "where" | "retryable" | "source"> {
  readonly codes: readonly (readonly [code: number, name: string, meaning: string, nextStep: string])[];
}

const TROUBLESHOOTING = 'Meta Calling API, "Troubleshooting" (read 2026-11-22)';
const PERMISSIONS = 'Meta Calling API, "User call permissions" (read 2026-11-22)';
const FAQ = 'Meta Calling API, "FAQ" (read 2026-11-22)';
const GRAPH = "Meta Graph API, general error codes";
const CLOUD_API = 'WhatsApp Cloud API, "Error codes" (read 2026-11-22)';
const REPORTS = "reports of integrators; in no table of Meta's";

const CHECK_SDP = "Run `npx ringback sdp check` on the SDP that was sent; it names the line.";
const CHECK_MEDIA =
  "Check that outbound UDP and its answers pass the firewall, that ICE and DTLS finish, and that RTP flows every 20 ms.";
const GIVE_PERMISSION =
  "Give the token whatsapp_business_messaging and access to the WhatsApp Business account.";
const NEW_TOKEN = "Set WHATSAPP_TOKEN to a valid token; a system user's token can be issued without expiry.";
const ASK_PERMISSION = "Send a call permission request and dial after the user has accepted it.";

const GROUPS: readonly CodeGroup[] = [
  {
    where: "graph",
    retryable: true,
    source: GRAPH,
    codes: [
      [
        1,
        "Graph API unknown error",
        "The Graph API failed for a reason it does not name.",
        "Repeat the request; look at Meta's status page when it goes on.",
      ],
      [2, "Graph API service", "The Graph API is down for the moment.", "Repeat the request later."],
      [
        4,
        "App rate limit",
        "The app has made too many Graph requests.",
        "Send fewer requests; the app dashboard shows the use.",
      ],
    ],
  },
  {
    where: "graph",
    retryable: false,
    source: GRAPH,
    codes: [
      [10, "Permission denied", "The token lacks a permission for this number.", GIVE_PERMISSION],
      [190, "Access token invalid", "The access token is invalid or has expired.", NEW_TOKEN],
      [200, "Permission missing", "The app or token may not act for this number.", GIVE_PERMISSION],
    ],
  },
  {
    where: "graph",
    retryable: false,
    source: CLOUD_API,
    codes: [
      [0, "Not authenticated", "The access token has expired, was revoked, or was never valid.", NEW_TOKEN],
      [3, "Capability missing", "The app or the token may not use this function.", GIVE_PERMISSION],
      [
        33,
        "Number does not exist",
        "The business phone number was deleted.",
        "Compare WHATSAPP_PHONE_NUMBER_ID with the app dashboard.",
      ],
      [
        368,
        "Blocked for a policy violation",
        "The WhatsApp Business account is restricted or disabled because it violated a policy.",
        "Look for the violation, and the way to appeal, in WhatsApp Manager.",
      ],
      [131005, "Access denied", "A permission was not given, or was taken away.", GIVE_PERMISSION],
      [
        131008,
        "Parameter missing",
        "A parameter that is needed is missing; the details say which.",
        "Correct what the details name.",
      ],
      [
        131031,
        "Account locked",
        "The WhatsApp Business account is locked, mostly because it violated a policy.",
        "Look at the account's health status in WhatsApp Manager.",
      ],
      [
        133010,
        "Number not registered",
        "The number is not registered for the Cloud API.",
        "Register it with its PIN: POST /{phone-number-id}/register.",
      ],
    ],
  },
  {
    where: "graph",
    retryable: true,
    source: CLOUD_API,
    codes: [
      [
        80007,
        "Account rate limit",
        "The WhatsApp Business account has made too many requests.",
        "Send fewer requests.",
      ],
      [130429, "Throughput limit", "The number has reached its throughput limit.", "Send fewer requests."],
      [
        131000,
        "Something went wrong",
        "WhatsApp failed for a reason it does not name.",
        "Repeat the request; report the trace id to Meta when it goes on.",
      ],
      [
        131016,
        "Service unavailable",
        "A service of WhatsApp's is down for the moment.",
        "Repeat the request later.",
      ],
      [
        131057,
        "Account in maintenance",
        "The WhatsApp Business account is in maintenance, for example while its throughput is raised.",
        "Repeat the request after some minutes.",
      ],
    ],
  },
  {
    where: "graph",
    retryable: false,
    source: TROUBLESHOOTING,
    codes: [
      [
        100,
        "Invalid parameter",
        "A parameter of the request is invalid; the details say which.",
        "Correct what the details name.",
      ],
      [
        131009,
        "Parameter value not valid",
        "A value is not allowed; with a message of type voice_call, call buttons are not available in this number's country.",
        "Correct what the details name; send no voice_call messages from this number.",
      ],
      [
        131030,
        "Recipient not in the allow-list",
        "A public test number reaches only the numbers on its list.",
        "Add the recipient to the test number's list in the app dashboard.",
      ],
      [
        131055,
        "Graph calls not allowed",
        "SIP is enabled for this number, which rules out calls over the Graph API.",
        "Disable SIP in the number's call settings.",
      ],
      [
        138000,
        "Calling not enabled",
        "Calling is off for this number, as it is by default.",
        "Enable calling in the number's call settings: POST /{phone-number-id}/settings, calling.status ENABLED.",
      ],
      [
        138001,
        "Receiver uncallable",
        "The user cannot take calls, for example because of an old version of WhatsApp.",
        "Reach the user by message.",
      ],
      [
        138003,
        "Duplicate call",
        "A call between this number and this user is going on already.",
        "End that call first; one call per user and number is allowed.",
      ],
      [138006, "No call permission", "The user has not allowed this number to call.", ASK_PERMISSION],
      [
        138007,
        "Connect timeout",
        "The SDP was not applied, or accept did not come in time.",
        "Answer within 30 seconds of the connect webhook.",
      ],
      [
        138009,
        "Permission request limit",
        "This user was asked for call permission too often (once a day, twice in seven days).",
        "Wait; a connected call resets the limit.",
      ],
      [
        138012,
        "Connected call limit",
        "This user was called as often as a day allows; the details give the next allowed time.",
        "Dial after that time.",
      ],
      [
        138013,
        "Placing calls unavailable",
        "Numbers of this country cannot place calls.",
        "Place calls from a number of another country; receiving calls works.",
      ],
      [
        138014,
        "Calling disabled for quality",
        "WhatsApp has disabled calling for a time because of low quality.",
        "Read the account_update webhook for the end of the restriction.",
      ],
      [
        138015,
        "Messaging limit too low",
        "Calling needs a messaging limit of 2,000 or more.",
        "Raise the messaging limit of the number, then enable calling.",
      ],
      [
        138017,
        "Permission is permanent already",
        "The user has granted a permanent call permission, so no request is needed.",
        "Dial without asking.",
      ],
      [
        138018,
        "Prerequisites not met",
        "No app is subscribed to the field calls, and no SIP server is set.",
        "Subscribe the app to the webhook field calls, and the app to the WhatsApp Business account.",
      ],
      [
        138024,
        "SIP not configured",
        "The health status says that SIP is enabled and not fully configured.",
        "Complete the SIP settings, or disable SIP to take calls over the Graph API.",
      ],
      [
        138025,
        "SIP not configured",
        "The health status says that SIP is enabled and not fully configured.",
        "Complete the SIP settings, or disable SIP to take calls over the Graph API.",
      ],
    ],
  },
  {
    where: "graph",
    retryable: true,
    source: TROUBLESHOOTING,
    codes: [
      [
        613,
        "Call permission read limit",
        "Call permissions were read too often.",
        "Keep the permissions from webhooks instead of asking for them before every call.",
      ],
      [
        138002,
        "Concurrent call limit",
        "This number has 1,000 calls at once, the most that WhatsApp allows.",
        "End calls or spread them over several numbers.",
      ],
      [
        138004,
        "Connection error",
        "WhatsApp failed while it connected the call.",
        "Repeat the request; report the trace id to Meta when it goes on.",
      ],
      [138005, "Call rate limit", "This number has placed too many calls lately.", "Dial more slowly."],
    ],
  },
  {
    where: "webhook",
    retryable: false,
    source: PERMISSIONS,
    codes: [
      [
        131026,
        "Message undeliverable",
        "The user's WhatsApp could not take the message, usually because it is too old.",
        "Ask the user to update WhatsApp.",
      ],
    ],
  },
  {
    where: "both",
    retryable: false,
    source: TROUBLESHOOTING,
    codes: [
      [
        131044,
        "No valid payment method",
        "The business account has no valid payment method, so calls are refused.",
        "Add a payment method to the WhatsApp Business account.",
      ],
    ],
  },
  {
    where: "graph",
    retryable: false,
    source: REPORTS,
    codes: [[138008, "SDP validation error", "WhatsApp refuses the SDP.", CHECK_SDP]],
  },
  {
    where: "graph",
    retryable: false,
    source: FAQ,
    codes: [
      [
        138011,
        "No open conversation",
        "A free-form permission request needs an open conversation with the user.",
        "Send the request as a template message.",
      ],
    ],
  },
  {
    where: "webhook",
    source: TROUBLESHOOTING,
    codes: [
      [138019, "Client set-up failed", "The user's WhatsApp could not set up the call.", CHECK_SDP],
      [
        138020,
        "Client could not reach the relay",
        "The user's WhatsApp did not reach WhatsApp's media relay.",
        "Nothing on this side; the user's network is the likely cause.",
      ],
      [
        138021,
        "No media from the business",
        "The user's WhatsApp ended the call because it received no media: 20 seconds at the start, or 30 seconds later on.",
        CHECK_MEDIA,
      ],
      [
        138022,
        "Client could not send media",
        "The user's WhatsApp could not send media for too long.",
        "Nothing on this side; the user's network is the likely cause.",
      ],
      [138023, "Accepted without media", "The call was accepted and no media arrived.", CHECK_MEDIA],
    ],
  },
];

/** Meta's codes that calling can meet, by number. `docs/whatsapp.md` shows the same list. */
export const ERROR_CODES: ReadonlyMap<number, CodeEntry> = new Map(
  GROUPS.flatMap(({ codes, ...shared }) =>
    codes.map(([code, name, meaning, nextStep]) => [code, { ...shared, name, meaning, nextStep }] as const),
  ),
);
