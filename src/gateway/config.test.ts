import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isRingbackError } from "../errors.ts";
import { loadConfig } from "./config.ts";

const COMPLETE = {
  WHATSAPP_TOKEN: "a-token",
  WHATSAPP_PHONE_NUMBER_ID: "100000000000001",
  WHATSAPP_APP_SECRET: "a-secret",
  WHATSAPP_WEBHOOK_VERIFICATION_TOKEN: "a-verify-token",
};
const noFiles = (): string => {
  throw new Error("no such file");
};

function problemsOf(env: Record<string, string>, readSecret = noFiles): string[] {
  try {
    loadConfig(env, readSecret);
    return [];
  } catch (error) {
    if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
    expect(error.details.problems.every((problem) => problem.hint !== "")).toBe(true);
    return error.details.problems.map((problem) => problem.name);
  }
}

describe("settings", () => {
  test("the four needed ones are enough; the rest has defaults", () => {
    expect(loadConfig(COMPLETE, noFiles)).toEqual({
      host: "127.0.0.1",
      port: 3000,
      logLevel: "info",
      gateway: {
        token: "a-token",
        appSecret: ["a-secret"],
        verifyToken: "a-verify-token",
        phoneNumbers: ["100000000000001"],
        graph: {},
        media: {},
        requests: { allowHttp: false, allowedHosts: [], onlyAllowedHosts: false },
        recordingsFolder: join("data", "recordings"),
      },
      store: { folder: "data", node: "ringback" },
      api: { host: "127.0.0.1", port: 3001, trustedProxies: [], allowedOrigins: [] },
      events: null,
      retention: {},
      drainTimeoutMs: 900_000,
      soundsFolder: null,
    });
  });

  test("everything that is missing is reported at once", () => {
    expect(problemsOf({})).toEqual([
      "WHATSAPP_TOKEN",
      "WHATSAPP_APP_SECRET",
      "WHATSAPP_WEBHOOK_VERIFICATION_TOKEN",
      "WHATSAPP_PHONE_NUMBER_ID",
    ]);
  });

  test.each([
    ["PORT", "three thousand"],
    ["PORT", "65536"],
    ["MEDIA_PORT", "ten thousand"],
    ["MEDIA_PORT", "10999-10000"],
    ["MEDIA_PORT", "0-10"],
    ["MEDIA_PORT", "10000-"],
    ["MEDIA_PORT", "65530-65536"],
    ["MEDIA_WORKERS", "0"],
    ["MEDIA_WORKERS", "65"],
    ["MEDIA_WORKERS", "two"],
    ["MEDIA_PORT", "1-2-3"],
    ["MEDIA_PUBLIC_ADDRESS", "my host"],
    ["MEDIA_PUBLIC_ADDRESS", "999.1.1.1"],
    ["MEDIA_PUBLIC_ADDRESS", "0.0.0.0"],
    ["MEDIA_PUBLIC_ADDRESS", "::"],
    ["MEDIA_PUBLIC_ADDRESS", "224.0.0.1"],
    ["GRAPH_API_URL", "graph.facebook.com"],
    ["GRAPH_API_URL", "http://proxy.example"],
    ["GRAPH_API_URL", "https://graph.facebook.com/v26.0"],
    ["WHATSAPP_TOKEN", "two words"],
    ["WHATSAPP_APP_SECRET", "one,,two"],
    ["GRAPH_API_VERSION", "26"],
    ["LOG_LEVEL", "loud"],
    ["WHATSAPP_PHONE_NUMBER_ID", "+1 555 000 1111"],
    ["REQUESTS_ALLOW", "https://ivr.example.com"],
    ["REQUESTS_ALLOW", "ivr.example.com,,10.0.0.5"],
    ["REQUESTS_ALLOW", "10.0.0.0/99"],
    ["REQUESTS_ALLOW_HTTP", "maybe"],
    ["REQUESTS_ALLOW_ONLY", "2"],
    ["SPEECH_VOICE", "alloy"],
    ["SPEECH_LANGUAGE", "de"],
    ["SPEECH_MODEL", "kokoro"],
    ["SPEECH_ARGS", "[]"],
    ["SPEECH_API_KEY", "a-key"],
    ["DATABASE_URL", "mysql://db/ringback"],
    ["DATABASE_URL", "my database"],
    ["NODE_NAME", "node one"],
    ["API_PORT", "65536"],
    ["API_PORT", "none"],
    ["API_PUBLIC_URL", "ringback.example.com"],
    ["API_PUBLIC_URL", "https://ringback.example.com/api"],
    ["API_ALLOWED_ORIGINS", "*"],
    ["API_TRUSTED_PROXIES", "proxy.example.com"],
    ["DATA_KEY", "too-short"],
    ["MAX_CALLS", "0"],
    ["DRAIN_TIMEOUT_SECONDS", "15m"],
    ["EVENTS_URL", "ftp://crm.example.com/"],
    ["RETENTION_RECORDINGS_DAYS", "0"],
    ["RETENTION_WEBHOOKS_DAYS", "7"],
  ])("%s=%s is refused by name", (name, value) => {
    expect(problemsOf({ ...COMPLETE, [name]: value })).toEqual([name]);
  });

  test("what the Graph client asks for is said in the setting's name", () => {
    expect(() => loadConfig({ ...COMPLETE, GRAPH_API_URL: "http://proxy.example" }, noFiles)).toThrow(
      "GRAPH_API_URL must be https;",
    );
  });

  test("lists, ranges and zero are taken as they stand", () => {
    const config = loadConfig(
      {
        ...COMPLETE,
        WHATSAPP_PHONE_NUMBER_ID: "100000000000001, 100000000000002",
        WHATSAPP_APP_SECRET: "new,old",
        MEDIA_WORKERS: "2",
        MEDIA_PORT: "10000-10015",
        PORT: "0",
      },
      noFiles,
    );
    expect(config.port).toBe(0);
    expect(config.gateway.phoneNumbers).toEqual(["100000000000001", "100000000000002"]);
    expect(config.gateway.appSecret).toEqual(["new", "old"]);
    expect(config.gateway.media).toEqual({
      workers: 2,
      port: 10_000,
      extraPorts: { begin: 10_002, end: 10_015 },
    });
  });

  test.each([
    ["0", "1", { port: 0 }],
    ["0", "4", { port: 0 }],
    ["10000", "4", { port: 10_000 }],
    ["65535", "1", { port: 65_535 }],
    ["10000-10003", "4", { port: 10_000 }],
    ["10000-10001", "1", { port: 10_000, extraPorts: { begin: 10_001, end: 10_001 } }],
  ])("MEDIA_PORT=%s with MEDIA_WORKERS=%s has a port for each worker", (port, workers, expected) => {
    const env = { ...COMPLETE, MEDIA_PORT: port, MEDIA_WORKERS: workers };
    expect(loadConfig(env, noFiles).gateway.media).toEqual({ workers: Number(workers), ...expected });
  });

  test.each([
    ["65535", "has 1 port for 2 media workers"],
    ["10000-10000", "has 1 port for 2 media workers"],
    ["abc", "is not a UDP port, nor a range of them"],
    ["70000", "is not a UDP port, nor a range of them"],
    ["10015-10000", "is not a UDP port, nor a range of them"],
  ])("MEDIA_PORT=%s for two workers %s", (port, problem) => {
    const env = { ...COMPLETE, MEDIA_PORT: port, MEDIA_WORKERS: "2" };
    expect(() => loadConfig(env, noFiles)).toThrow(`MEDIA_PORT ${problem}.`);
  });

  test("a secret may come from a file", () => {
    const { WHATSAPP_TOKEN: _, ...rest } = COMPLETE;
    const env = { ...rest, WHATSAPP_TOKEN_FILE: "/run/secrets/token" };
    expect(loadConfig(env, () => "from-a-file\n").gateway.token).toBe("from-a-file");
    expect(problemsOf(env)).toEqual(["WHATSAPP_TOKEN_FILE"]);
    expect(problemsOf(env, () => "  \n")).toEqual(["WHATSAPP_TOKEN_FILE"]);
    expect(problemsOf({ ...env, WHATSAPP_TOKEN: "twice" }, () => "x")).toEqual(["WHATSAPP_TOKEN"]);
  });

  test("no message holds a secret's value", () => {
    try {
      loadConfig({ ...COMPLETE, PORT: "x" }, noFiles);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain("a-secret");
    }
  });
});

describe("what may be requested", () => {
  const requestsOf = (env: Record<string, string>) =>
    loadConfig({ ...COMPLETE, ...env }, noFiles).gateway.requests;

  test("hosts come between commas", () => {
    expect(requestsOf({ REQUESTS_ALLOW: "ivr.example.com:8443, *.example.org,10.0.0.0/8" })).toEqual({
      allowHttp: false,
      allowedHosts: ["ivr.example.com:8443", "*.example.org", "10.0.0.0/8"],
      onlyAllowedHosts: false,
    });
  });

  test.each(["1", "true", "YES", "on"])("%s is a yes", (text) => {
    expect(requestsOf({ REQUESTS_ALLOW_HTTP: text, REQUESTS_ALLOW_ONLY: text })).toMatchObject({
      allowHttp: true,
      onlyAllowedHosts: true,
    });
  });

  test.each(["0", "false", "No", "off", ""])("%j is a no", (text) => {
    expect(requestsOf({ REQUESTS_ALLOW_HTTP: text })?.allowHttp).toBe(false);
  });

  test("every entry that is no host is named, and more than 1,000 are too many", () => {
    expect(() => requestsOf({ REQUESTS_ALLOW: "a b,good.example,x/y" })).toThrow('"a b", "x/y"');
    const many = Array.from({ length: 1_001 }, (_, i) => `host-${i}.example`).join(",");
    expect(() => requestsOf({ REQUESTS_ALLOW: many })).toThrow("REQUESTS_ALLOW may have 1000 entries");
  });
});

test("recordings go below DATA_DIR", () => {
  const { gateway } = loadConfig({ ...COMPLETE, DATA_DIR: "/var/lib/ringback" }, noFiles);
  expect(gateway.recordingsFolder).toBe(join("/var/lib/ringback", "recordings"));
});

test("who speaks has the gateway's rules for requests", () => {
  const env = {
    ...COMPLETE,
    SPEECH_URL: "http://speech.lan",
    SPEECH_MODEL: "kokoro",
    SPEECH_VOICE: "af_bella",
  };
  expect(problemsOf(env)).toEqual(["SPEECH_URL"]);
  const config = loadConfig({ ...env, REQUESTS_ALLOW_HTTP: "1" }, noFiles);
  expect(config.gateway.speech?.name).toBe("speech.lan");
});

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("store, API and events", () => {
  test("are taken as they are set", () => {
    const config = loadConfig(
      {
        ...COMPLETE,
        DATABASE_URL: "postgres://ringback:pass@db/ringback",
        NODE_NAME: "node-1",
        DATA_DIR: "/var/lib/ringback",
        API_HOST: "0.0.0.0",
        API_PORT: "4000",
        API_PUBLIC_URL: "https://ringback.example.com/",
        API_TRUSTED_PROXIES: "10.0.0.0/8, fd00::5",
        API_ALLOWED_ORIGINS: "https://console.example.com,http://127.0.0.1:5173",
        EVENTS_URL: "https://crm.example.com/ringback",
        EVENTS_SECRET: SECRET,
        RETENTION_RECORDINGS_DAYS: "7",
        DRAIN_TIMEOUT_SECONDS: "60",
        SOUNDS_DIR: "/srv/sounds",
        MAX_CALLS: "20",
      },
      noFiles,
    );
    expect(config).toMatchObject({
      store: { folder: "/var/lib/ringback", url: "postgres://ringback:pass@db/ringback", node: "node-1" },
      api: {
        host: "0.0.0.0",
        port: 4_000,
        publicUrl: "https://ringback.example.com",
        trustedProxies: ["10.0.0.0/8", "fd00::5"],
        allowedOrigins: ["https://console.example.com", "http://127.0.0.1:5173"],
      },
      events: { url: "https://crm.example.com/ringback", secret: SECRET },
      retention: { recordingsMs: 604_800_000 },
      drainTimeoutMs: 60_000,
      soundsFolder: "/srv/sounds",
    });
    expect(config.gateway.maxCalls).toBe(20);
  });

  test("the API is off when its port is", () => {
    expect(loadConfig({ ...COMPLETE, API_PORT: "off" }, noFiles).api).toBe(null);
  });

  test("with PostgreSQL a node is called as its host, without it one process has the file whatever the host is called", () => {
    const DATABASE_URL = "postgresql://db/ringback";
    const nodeOf = (env: Record<string, string>, hostName: string) =>
      loadConfig({ ...COMPLETE, ...env }, noFiles, { hostName }).store.node;
    expect(nodeOf({}, "4f2ab81c9d00")).toBe("ringback");
    expect(nodeOf({ DATABASE_URL }, "voice-1.example.com")).toBe("voice-1.example.com");
    expect(nodeOf({ DATABASE_URL }, "Jo's Mac")).toBe("Jo-s-Mac");
  });

  test("an endpoint for events needs both, a real secret, and https unless http is allowed", () => {
    const url = "https://crm.example.com/";
    expect(problemsOf({ ...COMPLETE, EVENTS_URL: url })).toEqual(["EVENTS_SECRET"]);
    expect(problemsOf({ ...COMPLETE, EVENTS_SECRET: SECRET })).toEqual(["EVENTS_URL"]);
    expect(problemsOf({ ...COMPLETE, EVENTS_URL: url, EVENTS_SECRET: "short" })).toEqual(["EVENTS_SECRET"]);
    const plain = { ...COMPLETE, EVENTS_URL: "http://10.0.0.5/", EVENTS_SECRET: SECRET };
    expect(problemsOf(plain)).toEqual(["EVENTS_URL"]);
    expect(problemsOf({ ...plain, REQUESTS_ALLOW_HTTP: "yes" })).toEqual([]);
  });

  test("the database's URL may come from a file, and no problem shows it", () => {
    const env = { ...COMPLETE, DATABASE_URL_FILE: "/run/secrets/database" };
    expect(loadConfig(env, () => "postgres://db/x\n").store.url).toBe("postgres://db/x");
    expect(() => loadConfig(env, () => "mysql://user:pass@db/x")).toThrow(
      /^(?!.*pass@).*no URL of PostgreSQL/,
    );
  });
});
