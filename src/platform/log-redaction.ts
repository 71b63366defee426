/** Deeper than any line of ours; what is below is left out. */
const MAX_DEPTH = 5;
const REDACTED = "[redacted]";

/** Fields whose values are never written, by their names in small letters and without dashes and underscores. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  ...[
    "token",
    "accesstoken",
    "authorization",
    "cookie",
    "password",
    "secret",
    "secrets",
    "appsecret",
    "verifytoken",
  ],
  ...[
    "apikey",
    "signature",
    "privatekey",
    "sdp",
    "offersdp",
    "answersdp",
    "icepwd",
    "body",
    "payload",
    "personal",
  ],
  ...["digits", "digit", "text", "username", "databaseurl", "hubverifytoken"],
]);
/** Fields that hold somebody's number, or an id with one in it. */
const NUMBER_FIELDS: ReadonlySet<string> = new Set([
  ...["from", "to", "number", "phone", "phonenumber", "waid", "caller", "subject", "displayphonenumber"],
  ...["callid", "whatsappcallid", "wacid"],
]);
/** Fields that hold a business number's id: digits, and nobody's number. */
const ID_FIELDS: ReadonlySet<string> = new Set(["phonenumberid", "numbers"]);

/** What gives a secret away wherever it stands, and what takes its place. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/v=0\r?\n(?:[a-z]=[^\r\n]*\r?\n?)+/g, "[sdp]"],
  [/\ba=(ice-pwd|ice-ufrag|candidate|crypto|fingerprint):[^\r\n"]+/g, "a=$1:[redacted]"],
  [/\bwacid\.[\w+/=-]+/g, "wacid.[redacted]"],
  [/\bBearer\s+[^\s"',]+/gi, "Bearer [redacted]"],
  [/\b(rbk|whsec)_[\w+/=-]+/g, "$1_[redacted]"],
  // Meta's access tokens begin so.
  [/\bEAA[A-Za-z0-9]{16,}/g, "[token]"],
  [/([a-z]+:\/\/[^\s:/@]*):[^\s/@]+@/gi, "$1:[redacted]@"],
  [/([?&](?:access_token|token|signature|sig|secret|key|hub\.verify_token)=)[^&\s"']+/gi, "$1[redacted]"],
  // E.164 has 15 digits at most; ids of ours have letters beside theirs.
  [/(?<!\w)\+?\d{6,13}(\d{2})(?!\w)/g, "[number …$1]"],
];

/**
 * The fields of a line as they may be written: secrets and what callers said or pressed left out, phone numbers down to their last two
 * digits. The program does not log them; this is for what slips in.
 */
export function redactFields(
  fields: object,
  describeError: (error: Error) => object,
): Record<string, unknown> {
  return redactObject(fields, describeError, 0);
}

/** Most texts have none of what the patterns begin with: looked at once, not by each of them. */
const SUSPICIOUS = /v=0|a=[ifc]|wacid|bearer|rbk_|whsec_|EAA|@|[?&]|\d{8}/i;

export function redactText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  let redacted = text;
  for (const [pattern, replacement] of PATTERNS) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

function redactObject(
  value: object,
  describeError: (error: Error) => object,
  depth: number,
): Record<string, unknown> {
  const redacted: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    redacted[name] = redactField(name, field, describeError, depth);
  }
  return redacted;
}

function redactField(
  name: string,
  value: unknown,
  describeError: (error: Error) => object,
  depth: number,
): unknown {
  const kind = name.toLowerCase().replace(/[-_]/g, "");
  if (value === null || value === undefined || typeof value === "boolean") return value;
  if (SECRET_FIELDS.has(kind)) return REDACTED;
  if (NUMBER_FIELDS.has(kind)) return maskNumber(value);
  return ID_FIELDS.has(kind) ? value : redactValue(value, describeError, depth);
}

function redactValue(value: unknown, describeError: (error: Error) => object, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (depth >= MAX_DEPTH || value instanceof Uint8Array) return REDACTED;
  if (Array.isArray(value)) return value.map((each) => redactValue(each, describeError, depth + 1));
  return redactObject(value, describeError, depth + 1);
}

/** The last two digits tell apart what belongs together, and find nobody. */
function maskNumber(value: unknown): string {
  const digits =
    typeof value === "string" || typeof value === "number" ? String(value).replace(/\D/g, "") : "";
  return digits.length < 6 ? REDACTED : `[number …${digits.slice(-2)}]`;
}
