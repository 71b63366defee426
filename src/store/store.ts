import { createApiKeys } from "./api-keys.ts";
import { createAuditLog } from "./audit.ts";
import { createCallRecords } from "./calls.ts";
import { createCommands } from "./commands.ts";
import type { Database } from "./database.ts";
import { createEndpoints } from "./endpoints.ts";
import { eraseSubject } from "./erase.ts";
import { createEventLog } from "./events.ts";
import { createIdempotencyKeys } from "./idempotency.ts";
import { readInstanceKey, writeProbe } from "./instance.ts";
import { createJournal } from "./journal.ts";
import type { Owner } from "./open-database.ts";
import { createOutbox } from "./outbox.ts";
import { prune } from "./prune.ts";
import { createRecordings } from "./recordings.ts";
import type { StoreDeps } from "./store-deps.ts";
import type { Store } from "./types.ts";

export interface StoreParts {
  readonly database: Database;
  readonly owner: Owner | null;
  readonly deliverer: Owner | null;
  readonly node: string | null;
}

export function createStore({ database, owner, deliverer, node }: StoreParts, deps: StoreDeps): Store {
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await database.close();
    // Only when nothing of it is written any more may another process answer calls.
    await Promise.all([owner?.release(), deliverer?.release()]);
  };
  return {
    backend: database.dialect.backend,
    mayDeliver: () => deliverer?.isHeld ?? false,
    journal: createJournal(database, node),
    calls: createCallRecords(database, deps),
    events: createEventLog(database),
    endpoints: createEndpoints(database),
    outbox: createOutbox(database, deps),
    commands: createCommands(database),
    idempotency: createIdempotencyKeys(database, node),
    apiKeys: createApiKeys(database),
    recordings: createRecordings(database, deps),
    audit: createAuditLog(database),
    check: () => writeProbe(database, deps.clock.wallMs()),
    erase: async (subject, at, actor) => {
      const instanceKey = await readInstanceKey(database);
      return await eraseSubject(database, { subject, at, actor, instanceKey });
    },
    prune: (policy, at) => prune(database, policy, at),
    instanceKey: () => readInstanceKey(database),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
