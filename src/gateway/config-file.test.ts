import { describe, expect, test } from "vitest";
import { isRingbackError } from "../errors.ts";
import { loadConfig } from "./config.ts";
import { parseConfigFile } from "./config-file.ts";
import { formatReport, reportSettings } from "./config-report.ts";
import { DEFAULT_RETENTION } from "./retention/retention-policy.ts";

const ENV = {
  WHATSAPP_TOKEN: "a-token",
  WHATSAPP_PHONE_NUMBER_ID: "100000000000001",
  WHATSAPP_APP_SECRET: "a-secret",
  WHATSAPP_WEBHOOK_VERIFICATION_TOKEN: "a-verify-token",
};
const readSecret = (path: string): string => `content-of-${path}`;
const fileOf = (settings: object) => parseConfigFile("ringback.config.json", JSON.stringify(settings));
const load = (env: Record<string, string>, settings: object) =>
  loadConfig(env, readSecret, { file: fileOf(settings) });

describe("a file of settings", () => {
  test("has the names of the environment, with numbers, flags and lists as JSON has them", () => {
    const config = load(ENV, {
      PORT: 4_000,
      REQUESTS_ALLOW_HTTP: true,
      REQUESTS_ALLOW: ["10.0.0.0/8", "*.example.org"],
      SPEECH_COMMAND: "my-speech",
      SPEECH_ARGS: ["--text", "{text},"],
      SOUNDS_DIR: null,
    });
    expect(config.port).toBe(4_000);
    expect(config.gateway.requests).toMatchObject({
      allowHttp: true,
      allowedHosts: ["10.0.0.0/8", "*.example.org"],
    });
    expect(config.gateway.speech?.name).toBe("my-speech");
    expect(config.soundsFolder).toBe(null);
  });

  test("gives way to the environment, but not to what is empty there", () => {
    expect(load({ ...ENV, PORT: "5000" }, { PORT: 4_000 }).port).toBe(5_000);
    expect(load({ ...ENV, PORT: "" }, { PORT: 4_000 }).port).toBe(4_000);
  });

  test("gives way with its secret files, too: one that the environment sets is not set twice", () => {
    const config = load(ENV, { WHATSAPP_TOKEN_FILE: "/run/secrets/token" });
    expect(config.gateway.token).toBe("a-token");
    const { WHATSAPP_TOKEN: _, ...rest } = ENV;
    const other = load({ ...rest, WHATSAPP_TOKEN_FILE: "/run/token" }, { WHATSAPP_TOKEN: "in-the-file" });
    expect(() => load({ ...rest, WHATSAPP_TOKEN_FILE: "x" }, {})).not.toThrow();
    expect(other.gateway.token).toBe("content-of-/run/token");
  });

  test.each([
    ["{", "RINGBACK_CONFIG names a file that is no JSON object"],
    ["[]", "RINGBACK_CONFIG names a file that is no JSON object"],
    ['{"PROT": 3000}', "PROT is no setting"],
    ['{"HOST_FILE": "x"}', "HOST_FILE is no setting"],
    ['{"PORT": {"a": 1}}', "PORT is neither text, number, true, false nor a list of texts"],
    ['{"PORT": [1]}', "PORT is neither text, number, true, false nor a list of texts"],
  ])("%s is refused, with the file's name", (content, message) => {
    const file = parseConfigFile("my.json", content);
    expect(() => loadConfig(ENV, readSecret, { file })).toThrow(`${message} (my.json)`);
  });

  test("an unknown name comes with the one that was meant", () => {
    try {
      load(ENV, { WHATSAP_TOKEN: "x", nonsense: 1 });
      expect.unreachable();
    } catch (error) {
      if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
      expect(error.details.problems.map(({ hint }) => hint)).toEqual([
        "Did you mean WHATSAPP_TOKEN?",
        "`ringback config print` lists all settings.",
      ]);
    }
  });
});

describe("the report of settings", () => {
  const env = {
    ...ENV,
    DATABASE_URL: "postgres://ringback:hunter2@db.lan/ringback?sslpassword=hunter3",
    EVENTS_SECRET_FILE: "/run/secrets/events",
    GRAPH_API_URL: "not a URL with hunter4",
  };
  const report = reportSettings(env, fileOf({ PORT: 4_000, HOST: "0.0.0.0" }));
  const of = (name: string) => report.find((each) => each.name === name);

  test("says of each where it is from", () => {
    expect(of("PORT")).toEqual({ name: "PORT", value: "4000", source: "file ringback.config.json" });
    expect(of("API_PORT")).toEqual({ name: "API_PORT", value: "3001", source: "default" });
    expect(of("WHATSAPP_PHONE_NUMBER_ID")?.source).toBe("environment");
    expect(of("EVENTS_SECRET")?.source).toBe("secret file /run/secrets/events");
    expect(of("SOUNDS_DIR")?.value).toBe(null);
  });

  test("shows no secret, no password and no query", () => {
    expect(of("DATABASE_URL")?.value).toBe(
      "postgres://ringback:********@db.lan/ringback?sslpassword=********",
    );
    const text = formatReport(report, [{ name: "X", problem: "is wrong", hint: "Mend it." }]).join("\n");
    for (const each of ["a-token", "a-secret", "a-verify-token", "hunter"]) expect(text).not.toContain(each);
    expect(text).toMatch(/X is wrong\n {2}Mend it\.$/);
  });
});

test("the report's defaults of retention are those that hold", () => {
  const report = reportSettings({}, null);
  for (const [kind, ms] of Object.entries(DEFAULT_RETENTION)) {
    const name = `RETENTION_${kind.replace(/Ms$/, "").toUpperCase()}_DAYS`;
    expect(report.find((each) => each.name === name)?.value).toBe(`${ms / 86_400_000}`);
  }
});
