import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { SETTING_NAMES, SETTINGS } from "../../src/gateway/config-catalogue.ts";
import { createMetrics } from "../../src/gateway/metrics/metrics.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const fallbackOf = (name: string): string => SETTINGS.find((each) => each.name === name)?.fallback ?? "";

/** Names of all metrics that there are, as Prometheus sees them, with the parts of histograms. */
async function knownSeries(): Promise<Set<string>> {
  const sources = {
    version: "0",
    maxCalls: 1,
    status: () => ({
      state: "running",
      counters: {
        callsStarted: 0,
        eventsRepeated: 0,
        eventsIgnored: 0,
        eventsOfOtherNumbers: 0,
        callsOverLimit: 0,
      },
      media: { workers: [] },
    }),
    callsByPhase: () => ({ ringing: 0, connecting: 0, active: 0 }),
  };
  const metrics = createMetrics(sources, { clock: new ManualClock(), timers: systemTimers });
  const { text } = await metrics.text();
  metrics.close();
  const types = [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)];
  const names = types.flatMap(([, name = "", type = ""]) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name],
  );
  return new Set(names);
}

const usedIn = (text: string): Set<string> => new Set(text.match(/\bringback_[a-z0-9_]+/g) ?? []);

describe("the dashboard and the alerts", () => {
  test("ask for no metric that does not exist, and the dashboard shows all of them", async () => {
    const known = await knownSeries();
    const dashboard = JSON.parse(read("deploy/grafana/ringback.json")) as {
      panels: { targets?: { expr: string }[] }[];
      templating: { list: { query: string }[] };
    };
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(30);
    const queries = dashboard.templating.list.map(({ query }) => query);
    const shown = usedIn([...expressions, ...queries].join("\n"));
    expect([...shown].filter((name) => !known.has(name))).toEqual([]);
    const families = new Set([...known].map((name) => name.replace(/_(bucket|sum|count)$/, "")));
    const shownFamilies = new Set([...shown].map((name) => name.replace(/_(bucket|sum|count)$/, "")));
    expect([...families].filter((name) => !shownFamilies.has(name))).toEqual([]);

    const rules = read("deploy/prometheus/alerts.yml");
    const alerts = [...rules.matchAll(/expr:\s+(>\n(?: {10}.*\n)+|.*\n)/g)].map((match) => match[1] ?? "");
    expect(alerts).toHaveLength([...rules.matchAll(/- alert: /g)].length);
    expect([...usedIn(alerts.join("\n"))].filter((name) => !known.has(name))).toEqual([]);
  });

  test("every metric and every alert is explained in docs/operations.md", async () => {
    const docs = read("docs/operations.md");
    const families = new Set(
      [...(await knownSeries())].map((name) => name.replace(/_(bucket|sum|count)$/, "")),
    );
    expect([...families].filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
    const alerts = [...read("deploy/prometheus/alerts.yml").matchAll(/- alert: (\w+)/g)].map(
      (match) => match[1],
    );
    expect(alerts.filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
  });

  test("panels stand beside each other, none on another", () => {
    const { panels } = JSON.parse(read("deploy/grafana/ringback.json")) as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { id, gridPos: a } of panels) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      const covered = panels.filter(({ id: other, gridPos: b }) => {
        return other !== id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
      });
      expect(covered).toEqual([]);
    }
  });
});

describe("the image", () => {
  const dockerfile = read("Dockerfile");

  test("copies nothing that is not there, or that the build's context leaves out", () => {
    const ignored = read(".dockerignore").split("\n");
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      (match) => match[1]?.split(" ") ?? [],
    );
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied.filter((path) => ignored.includes(path))).toEqual([]);
  });

  test("has what the package has, docs left out", () => {
    const { files } = JSON.parse(read("package.json")) as { files: string[] };
    const wanted = files.filter((path) => !path.startsWith("!") && !["docs", "SECURITY.md"].includes(path));
    expect(wanted.filter((path) => !dockerfile.includes(path))).toEqual([]);
  });

  test("opens the ports that are the defaults, runs as nobody special, and starts node itself", () => {
    const exposed = /^EXPOSE (.+)$/m.exec(dockerfile)?.[1]?.split(" ");
    const mediaPort = /MEDIA_PORT=(\d+)/.exec(dockerfile)?.[1];
    expect(exposed).toEqual([fallbackOf("PORT"), fallbackOf("API_PORT"), `${mediaPort}/udp`]);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", /m);
    expect(dockerfile.indexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("RUN "));
  });

  test("is checked by a command that node understands", () => {
    const command = JSON.parse(/^ {2}CMD (\[.+\])$/m.exec(dockerfile)?.[1] ?? "") as string[];
    expect(command.slice(0, 2)).toEqual(["node", "-e"]);
    // Nobody listens on port 1.
    const run = (): unknown =>
      execFileSync(process.execPath, ["-e", command[2] ?? ""], { env: { PORT: "1" }, stdio: "pipe" });
    expect(run).toThrow(expect.objectContaining({ status: 1 }));
  });
});

describe("compose file and systemd unit", () => {
  const compose = read("deploy/compose.yaml");
  const unit = read("deploy/ringback.service");

  test("set nothing that is no setting", () => {
    const service = /^ {2}ringback:\n([\s\S]*?)^ {2}postgres:/m.exec(compose)?.[1] ?? "";
    const inCompose = [...service.matchAll(/^ {6}([A-Z_]+):/gm)].map((match) => match[1] ?? "");
    const inUnit = [...unit.matchAll(/(?:^Environment=| )([A-Z_]+)=/gm)].map((match) => match[1] ?? "");
    const names = [...inCompose, ...inUnit].filter((name) => name !== "NODE_ENV");
    expect(names.length).toBeGreaterThan(12);
    expect(names.filter((name) => !SETTING_NAMES.has(name))).toEqual([]);
  });

  test("publish the ports that the program has in them, the API to this host alone", () => {
    const portOf = (name: string): string => new RegExp(`${name}: (\\d+)`).exec(compose)?.[1] ?? "";
    const [webhook, api, media] = ["PORT", "API_PORT", "MEDIA_PORT"].map(portOf);
    expect(compose).toContain(`"127.0.0.1:${webhook}:${webhook}"`);
    expect(compose).toContain(`"127.0.0.1:${api}:${api}"`);
    expect(compose).toContain(`"${media}:${media}/udp"`);
  });

  test("wait longer than the drain before they kill", () => {
    for (const [text, grace] of [
      [compose, /stop_grace_period: (\d+)s/],
      [unit, /^TimeoutStopSec=(\d+)$/m],
    ] as const) {
      const drain = Number(/DRAIN_TIMEOUT_SECONDS[:=] ?(\d+)/.exec(text)?.[1]);
      expect(drain).toBe(Number(fallbackOf("DRAIN_TIMEOUT_SECONDS")));
      expect(Number(grace.exec(text)?.[1])).toBeGreaterThan(drain + 15);
    }
  });

  test("name each secret that they use", () => {
    const used = [...compose.matchAll(/secrets: \[(.+)\]/g)].flatMap((match) => match[1]?.split(", ") ?? []);
    const defined = [...compose.matchAll(/file: secrets\/(\w+)/g)].map((match) => match[1] ?? "");
    expect(new Set(used)).toEqual(new Set(defined));
    const loaded = [...unit.matchAll(/^LoadCredential=(\w+):/gm)].map((match) => match[1]);
    const read = [...unit.matchAll(/=%d\/(\w+)$/gm)].map((match) => match[1]);
    expect(loaded).toEqual(read);
  });

  test.skipIf(!hasSystemd())("are understood by systemd", () => {
    const folder = mkdtempSync(join(tmpdir(), "ringback-unit-"));
    try {
      writeFileSync(join(folder, "ringback.service"), unit);
      const said = execFileSync("systemd-analyze", ["verify", join(folder, "ringback.service")], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      expect(said).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function hasSystemd(): boolean {
  return existsSync("/usr/bin/systemd-analyze");
}
