import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signWebhook } from "../../core/delivery/webhook-signature.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import { EVENT_DATA } from "../../core/events/schemas.ts";

const PAGE = readFileSync(new URL("../../../docs/events.md", import.meta.url), "utf8");
const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BODY = '{"name":"grüße"}';
const content = { id: "evt_1", timestampS: Math.floor(Date.now() / 1_000), body: BODY };
const HEADERS = { ...signWebhook(content, [NEW, OLD]) };

const has = (program: string, argument: string): boolean => spawnSync(program, [argument]).status === 0;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-docs-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function block(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(PAGE) ?? [];
  if (text === undefined) throw new Error(`docs/events.md has no block of ${language}`);
  return text;
}

describe("the table of docs/events.md", () => {
  const rows = [...PAGE.matchAll(/^\| `([a-z._]+)` \| [^|]+ \| (.*?) ?\|$/gm)];
  const types = new Map(rows.map(([, type = "", data = ""]) => [type, data]));

  test("has every type", () => {
    expect([...types.keys()].filter((type) => type.includes("."))).toEqual([...EVENT_TYPES]);
  });

  test.each(EVENT_TYPES)("has every field of %s", (type) => {
    const schema = EVENT_DATA[type] as unknown as { readonly shape: Record<string, unknown> };
    let text = types.get(type) ?? "";
    if (text.startsWith("the same")) text += types.get("recording.started") ?? "";
    const exempt = new Set(["ended_by", "error_code"]);
    const missing = Object.keys(schema.shape).filter((name) => !text.includes(`\`${name}\``));
    expect(missing.filter((name) => !(type.startsWith("recording.") && exempt.has(name)))).toEqual([]);
  });
});

test("every reason of an end is in docs/events.md", () => {
  const types = readFileSync(new URL("../../core/call/types.ts", import.meta.url), "utf8");
  const [, union = ""] = /export type EndReason =([\s\S]*?)\n\n/.exec(types) ?? [];
  const reasons = [...union.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, reason = ""]) =>
    reason.replaceAll("-", "_"),
  );
  expect(reasons.length).toBeGreaterThan(10);
  expect(reasons.filter((reason) => !PAGE.includes(`\`${reason}\``))).toEqual([]);
});

describe("what docs/events.md says of verifying holds", () => {
  test("in Node", async () => {
    const file = join(folder, "verify.mjs");
    writeFileSync(file, block("js"));
    const { isGenuine } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      isGenuine: (headers: object, body: string, secret: string) => boolean;
    };
    for (const secret of [OLD, NEW]) expect(isGenuine(HEADERS, BODY, secret)).toBe(true);
    expect(isGenuine(HEADERS, `${BODY} `, OLD)).toBe(false);
    expect(isGenuine({ ...HEADERS, "webhook-timestamp": "1614265330" }, BODY, OLD)).toBe(false);
  });

  test.skipIf(!has("python3", "--version"))("in Python", () => {
    const program = `${block("python")}
import json, sys
headers, body = json.loads(sys.argv[1]), sys.argv[2].encode()
print([is_genuine(headers, b, s) for b in (body, body + b" ") for s in sys.argv[3:]])`;
    const given = ["-X", "utf8", "-c", program, JSON.stringify(HEADERS), BODY, OLD, NEW];
    const out = execFileSync("python3", given, { encoding: "utf8" });
    expect(out.trim()).toBe("[True, True, False, False]");
  });

  test.skipIf(!has("openssl", "version"))("by hand", () => {
    writeFileSync(join(folder, "body.json"), BODY);
    const given = `ID=${content.id} TIMESTAMP=${content.timestampS} SECRET=${OLD}`;
    const out = execFileSync("sh", ["-c", `${given}\n${block("sh")}`], { cwd: folder, encoding: "utf8" });
    expect(`v1,${out}`).toBe(HEADERS["webhook-signature"]?.split(" ")[1]);
  });
});
