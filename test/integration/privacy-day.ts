import { readSample } from "../fixtures/sdp/samples.ts";
import { encode } from "../support/webhook-fixtures.ts";

const NUMBER = "15550001111";
const ICE_PASSWORD = "thisisthesecreticepassword";
const NAME = "Zoë Ångström";

const OFFER = readSample("live-uic-offer-by-meta-20251017");

/** What must be in no line of a log. */
export const VALUES = {
  token: "EAAGm0PX4ZCpsBAKZCZBsecrettoken0123456789",
  appSecret: "app-secret-0123456789abcdef",
  verifyToken: "verify-token-of-this-test",
  apiKey: "rbk_01934e5f6a7b7c8d9e0f112233445566_c2VjcmV0LW9mLXRoaXMta2V5",
  endpointSecret: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
  path: "hooks-token-8d7f6a5b",
  number: NUMBER,
  spoken: "your balance is forty-two",
};

const base64Number = Buffer.from(NUMBER).toString("base64").slice(0, 12);

export const FORBIDDEN: readonly string[] = [
  ...Object.values(VALUES),
  ICE_PASSWORD,
  "F6/jjqL0/8/Dzluc0IoZEQ",
  "@zoe",
  "US.1000000000000000001",
  "15550003333",
  NAME,
  base64Number,
  "15550002222",
  "HBgLMTU1NTAwMDExMTE",
  "v=0",
  "a=ice",
  "192.0.2.",
];

const OURS = "100000000000001";
const OTHERS = "100000000000009";

/** A webhook with events of a business number that is not ours: a line of the log for each. */
export function eventsOfOthers(round: number, count: number): Uint8Array {
  return batch(OTHERS, round, count, "v=0\r\n");
}

/** A webhook with calls that no answer can be made of: each is refused, with an error and its end in the log. */
export function callsWithBadOffers(round: number, count: number): Uint8Array {
  return batch(OURS, round, count, `v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\na=ice-pwd:${ICE_PASSWORD}\r\n`);
}

/** A webhook with calls that can be answered. */
export function goodCalls(round: number, count: number): Uint8Array {
  return batch(OURS, round, count, OFFER);
}

function batch(phoneNumberId: string, round: number, count: number, sdp: string): Uint8Array {
  const calls = Array.from({ length: count }, (_, index) => ({
    id: `wacid.HBgLMTU1NTAwMDExMTEVAgASGCA${String(round * 10_000 + index).padStart(16, "0")}`,
    from: NUMBER,
    to: "15550002222",
    event: "connect",
    timestamp: String(Math.floor(Date.now() / 1_000)),
    direction: "USER_INITIATED",
    deeplink_payload: VALUES.spoken,
    session: { sdp, sdp_type: "offer" },
  }));
  const metadata = { display_phone_number: "15550002222", phone_number_id: phoneNumberId };
  const contacts = [{ profile: { name: NAME }, wa_id: NUMBER }];
  return encode({
    object: "whatsapp_business_account",
    entry: [{ id: "1", changes: [{ field: "calls", value: { metadata, contacts, calls } }] }],
  });
}
