import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createId } from "../../src/core/events/id.ts";
import { SeededRandom } from "../../src/core/seeded-random.ts";
import { silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { openStore, type Store, type WebhookEndpoint } from "../../src/store/index.ts";
import { planCalls } from "./call-plan.ts";
import type { ChaosDatabase } from "./chaos-database.ts";
import { Consumer } from "./consumer.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { GraphServer, tokenOf } from "./graph-server.ts";
import { Moments, planKills, untilKill } from "./kill-plan.ts";
import { REAL_NUMBER, RealCalls } from "./real-calls.ts";
import { WebhookPost } from "./webhook-post.ts";
import { Whatsapp } from "./whatsapp.ts";
import { NUMBER } from "./whatsapp-call.ts";

export interface ChaosOptions {
  readonly calls: number;
  readonly kills: number;
  readonly realCalls: number;
  readonly seed: number;
  /** PostgreSQL is away for so long, once, in the middle. 0: never. */
  readonly outageMs: number;
  readonly database: ChaosDatabase;
  readonly progress: (text: string) => void;
}

const APP_SECRET = "chaos-app-secret";
/** So much of the load comes within one life, on average. */
const SPAN_PER_KILL_MS = 3_000;
/** How long calls go on coming in while the gateway is down: on a busy machine it starts slowly, and is to have something to do. */
const DOWN_MS = 1_500;
const TICK_MS = 50;
/** The longest there is: on a busy machine a restart takes as long as WhatsApp lets a call ring. */
const ANSWER_WINDOW_MS = 120_000;
/** Nor does more come in than a busy machine takes: calls that nobody sees in time test nothing. */
const MAX_UNTAKEN = 30;
const SETTLE_LIMIT_MS = 120_000;
/** Rounds of deliveries at the end, each with the clock further ahead. */
const MAX_ROUNDS = 40;
const STEP_MS = 100;

/** Everything that surrounds the gateway, and the gateway's lives. */
export class ChaosRun {
  readonly whatsapp: Whatsapp;
  readonly post: WebhookPost;
  readonly consumer: Consumer;
  readonly graph: GraphServer;
  readonly options: ChaosOptions;
  readonly real: RealCalls;
  kills = 0;
  /** Kills before the gateway listened. */
  earlyKills = 0;
  deadLettersReplayed = 0;
  readonly #random: SeededRandom;
  readonly #moments = new Moments();
  #gateway: GatewayProcess | null = null;
  #graphUrl = "";
  #endpointId = "";
  #port = 0;
  #life = 0;
  #stormMs = 0;
  #downMs = 0;
  #aheadMs = 0;

  private constructor(options: ChaosOptions, real: RealCalls) {
    this.options = options;
    this.real = real;
    this.#random = new SeededRandom(options.seed);
    const part = (): SeededRandom => new SeededRandom(this.#random.uint32());
    const moments = this.#moments;
    this.post = new WebhookPost({
      appSecret: APP_SECRET,
      random: part(),
      onSent: () => moments.tell("webhook"),
      onTaken: () => moments.tell("taken"),
    });
    const plans = planCalls(options.calls, this.#spanMs, part());
    this.whatsapp = new Whatsapp(plans, this.post);
    this.consumer = new Consumer(part(), () => moments.tell("delivery"));
    this.graph = new GraphServer({
      whatsapp: this.whatsapp,
      random: part(),
      others: real.graph,
      onRequest: (action) => moments.tell(action),
    });
  }

  static async prepare(options: ChaosOptions): Promise<ChaosRun> {
    const run = new ChaosRun(options, await RealCalls.start(APP_SECRET));
    run.#graphUrl = await run.graph.start();
    await run.#createEndpoint(await run.consumer.start());
    run.#port = await freePort();
    run.post.url = `http://127.0.0.1:${run.#port}/webhook`;
    run.real.webhookUrl = run.post.url;
    return run;
  }

  get runsFile(): string {
    return join(this.options.database.folder, "handler-runs.log");
  }

  get logFile(): string {
    return join(this.options.database.folder, "gateway.log");
  }

  get endpointId(): string {
    return this.#endpointId;
  }

  /** The handler's runs: an id for each. */
  handlerRuns(): readonly string[] {
    return readFileSync(this.runsFile, "utf8").split("\n").filter(Boolean);
  }

  /** Calls, webhooks and kills, until all calls are over and all webhooks taken. */
  async storm(): Promise<void> {
    const { kills, realCalls, progress } = this.options;
    const ticker = this.#startTicker();
    for (const plan of planKills(kills, this.#webhooksPerLife, this.#random)) {
      const gateway = this.#start();
      // In lives with some time before them: a phone gives up a gateway that it never meets.
      if (plan.at !== "start" && this.real.placed + 1 < realCalls) this.real.placeWhen(gateway.ready);
      await untilKill(plan, gateway.ready, this.#moments);
      await gateway.kill();
      this.kills += 1;
      if (!gateway.wasReady) this.earlyKills += 1;
      this.whatsapp.gatewayDied(gateway.life);
      progress(`kill ${this.kills} of ${kills} (${JSON.stringify(plan)}): ${this.#describe()}`);
    }
    const last = this.#start();
    await last.ready;
    // Nobody is killed under these: they are to be heard, also while the database is away.
    while (this.real.placed < realCalls) this.real.placeWhen(last.ready);
    if (this.options.outageMs > 0) await this.#outage();
    await this.real.allOver();
    await this.#until("the calls end", () => this.whatsapp.isOver && this.post.pending === 0);
    clearInterval(ticker);
  }

  /** The database goes away under the calls of the last life, and comes back. */
  async #outage(): Promise<void> {
    const { database, outageMs, progress } = this.options;
    const before = this.post.taken.length;
    await this.#until("webhooks come", () => this.post.taken.length >= before + 10 || this.whatsapp.isOver);
    await database.interrupt(() => delay(outageMs));
    progress(`PostgreSQL was away for ${outageMs} ms: ${this.#describe()}`);
  }

  /** Lets the journal and the outbox come to rest: retries that wait for hours are brought near by a clock that is ahead. */
  async settle(): Promise<void> {
    const { progress } = this.options;
    await this.#until(
      "the journal is empty",
      async () => (await this.#count("journal", "finished = 0")) === 0,
    );
    await this.#until("calls are closed", async () => (await this.#count("calls", "state <> 'ended'")) === 0);
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      await this.#untilNothingIsDue();
      const pending = await this.#count("deliveries", "state = 'pending'");
      const dead = await this.#replayDead();
      progress(`round ${round} of deliveries: ${pending} wait, ${dead} were given up, ${this.#describe()}`);
      if (pending + dead === 0) return;
      await this.#moveAhead();
    }
  }

  /** All webhooks once more. */
  async replay(): Promise<number> {
    const refused = await this.post.replay();
    await this.#until(
      "the journal is empty",
      async () => (await this.#count("journal", "finished = 0")) === 0,
    );
    return refused;
  }

  async closeGateway(): Promise<void> {
    await this.#gateway?.close();
    this.#gateway = null;
  }

  async dispose(): Promise<void> {
    if (this.#gateway !== null && !this.#gateway.isGone) await this.#gateway.kill();
    await this.post.close();
    await this.real.close();
    this.graph.stop();
    this.consumer.stop();
  }

  /** The store as the command line opens it, beside the gateway. */
  async withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const deps = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
    const store = await openStore(this.options.database.storeOptions, deps);
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  /** Of each call two events, and a webhook holds about one and a half. */
  get #webhooksPerLife(): number {
    return (this.options.calls * 1.4) / (this.options.kills + 1);
  }

  get #spanMs(): number {
    return Math.max(1, this.options.kills) * SPAN_PER_KILL_MS;
  }

  #startTicker(): NodeJS.Timeout {
    return setInterval(() => {
      const isDown = this.#gateway?.wasReady !== true;
      this.#downMs = isDown ? this.#downMs + TICK_MS : 0;
      const isHeldUp = isDown ? this.#downMs > DOWN_MS : this.post.untaken > MAX_UNTAKEN;
      if (!isHeldUp) this.#stormMs += TICK_MS;
      this.whatsapp.advanceTo(this.#stormMs);
    }, TICK_MS);
  }

  #start(): GatewayProcess {
    this.#life += 1;
    const { database } = this.options;
    this.#gateway = new GatewayProcess(this.#life, {
      gateway: {
        token: tokenOf(this.#life),
        appSecret: APP_SECRET,
        verifyToken: "chaos-verify-token",
        phoneNumbers: [NUMBER.id, REAL_NUMBER.id],
        graph: { url: this.#graphUrl, timeoutMs: 3_000 },
        call: { answerWindowMs: ANSWER_WINDOW_MS },
        requests: { allowHttp: true, allowedHosts: ["127.0.0.1"] },
        store: database.gatewayStore,
      },
      port: this.#port,
      aheadMs: this.#aheadMs,
      runsFile: this.runsFile,
      logFile: this.logFile,
    });
    return this.#gateway;
  }

  async #createEndpoint(url: string): Promise<void> {
    this.#endpointId = createId("whe", Date.now(), systemRandom);
    const endpoint: WebhookEndpoint = {
      id: this.#endpointId,
      url,
      types: null,
      phoneNumberId: null,
      secrets: [{ secret: this.consumer.secret, expiresAt: null }],
      state: "enabled",
      disabledReason: null,
      description: "chaos",
      createdAt: Date.now(),
    };
    await this.withStore((store) => store.endpoints.create(endpoint));
  }

  /** Dead letters are tried anew, as an operator would ask for. */
  async #replayDead(): Promise<number> {
    if ((await this.#count("deliveries", "state = 'dead'")) === 0) return 0;
    const at = Date.now() + this.#aheadMs;
    const replayed = await this.withStore((store) =>
      store.outbox.replay({ endpointId: this.#endpointId }, at),
    );
    this.deadLettersReplayed += replayed;
    return replayed;
  }

  async #untilNothingIsDue(): Promise<void> {
    const due = (): Promise<number> =>
      this.#count(
        "deliveries",
        `state = 'pending' and head = 1 and next_at <= ${Date.now() + this.#aheadMs + 1_000}`,
      );
    await this.#until("due deliveries are made", async () => (await due()) === 0);
  }

  /** A restart with a clock that makes all that waits due. */
  async #moveAhead(): Promise<void> {
    const [row] = await this.options.database.query<{ latest: number | string | null }>(
      "select max(next_at) as latest from deliveries where state = 'pending' and head = 1",
    );
    this.#aheadMs = Math.max(this.#aheadMs, Number(row?.latest ?? 0) - Date.now() + 1_000);
    this.consumer.aheadMs = this.#aheadMs;
    await this.closeGateway();
    await this.#start().ready;
  }

  async #count(table: string, condition: string): Promise<number> {
    const [row] = await this.options.database.query<{ count: number | string }>(
      `select count(*) as count from ${table} where ${condition}`,
    );
    return Number(row?.count ?? 0);
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + SETTLE_LIMIT_MS;
    while (!(await holds())) {
      if (performance.now() > deadline)
        throw new Error(`waited ${SETTLE_LIMIT_MS} ms until ${what}: ${this.#describe()}`);
      if (this.#gateway?.isGone === true) throw new Error(`the gateway died by itself; see ${this.logFile}`);
      await delay(STEP_MS);
    }
  }

  #describe(): string {
    const { whatsapp, post, consumer } = this;
    const taken = consumer.receipts.filter(({ outcome }) => outcome === "taken").length;
    return `${whatsapp.endedCalls} of ${whatsapp.calls.length} calls over, ${post.taken.length} webhooks taken, ${post.pending} wait, ${taken} events received`;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
