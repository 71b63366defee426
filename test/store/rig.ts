import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { type Logger, silentLogger } from "../../src/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";
import { openStore, type Store, type StoreDeps, type StoreOptions } from "../../src/store/index.ts";
import {
  createSchema,
  findPostgres,
  POSTGRES_MISSING,
  type PostgresServer,
  startPostgres,
} from "../support/postgres.ts";

export function storeDeps(logger: Logger = silentLogger): StoreDeps {
  return { clock: systemClock, timers: systemTimers, random: systemRandom, logger };
}

/** Databases and stores that are gone after each test. */
export interface StoreRig {
  /** An empty database of its own. */
  database(): Promise<Omit<StoreOptions, "node">>;
  /** Opens one, a new one unless told. */
  open(database?: Omit<StoreOptions, "node">, node?: string | null): Promise<Store>;
}

const installed = (await findPostgres()) !== null;

/** The same tests on both databases; without PostgreSQL the skipped ones say why. */
export function describeStores(title: string, tests: (rig: StoreRig) => void): void {
  describe(`${title} in SQLite`, () => tests(createRig(newFolder)));
  describe.skipIf(!installed)(installed ? `${title} in PostgreSQL` : `${title}: ${POSTGRES_MISSING}`, () => {
    let server: PostgresServer | null = null;
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(async () => {
      await server?.stop();
    });
    tests(
      createRig(async () => ({
        options: { url: await createSchema(server?.url ?? "") },
        drop: async () => {},
      })),
    );
  });
}

type NewDatabase = () => Promise<{ options: Omit<StoreOptions, "node">; drop(): Promise<void> }>;

const newFolder: NewDatabase = async () => {
  const folder = await mkdtemp(join(tmpdir(), "ringback-store-"));
  return {
    options: { file: join(folder, "data", "ringback.db") },
    drop: () => rm(folder, { recursive: true, force: true }),
  };
};

/** Of SQLite files alone. */
export function createSqliteRig(): StoreRig {
  return createRig(newFolder);
}

function createRig(newDatabase: NewDatabase): StoreRig {
  const stores: Store[] = [];
  const drops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const drop of drops.splice(0)) await drop();
  });
  const database: StoreRig["database"] = async () => {
    const made = await newDatabase();
    drops.push(() => made.drop());
    return made.options;
  };
  return {
    database,
    open: async (options, node = "node-1") => {
      const store = await openStore({ ...(options ?? (await database())), node }, storeDeps());
      stores.push(store);
      return store;
    },
  };
}
