import type { Database } from "./database.ts";
import type { Tx } from "./schema.ts";
import type { CommandRecord, Commands } from "./types.ts";

export function createCommands(database: Database): Commands {
  return { add: (command) => database.write((tx) => addCommand(tx, command)) };
}

async function addCommand(tx: Tx, command: CommandRecord): Promise<"added" | "known" | "conflict"> {
  const added = await tx
    .insertInto("commands")
    .values({
      id: command.id,
      call_id: command.callId,
      verb: command.verb,
      request_hash: command.requestHash,
      created_at: command.createdAt,
    })
    .onConflict((conflict) => conflict.columns(["call_id", "id"]).doNothing())
    .returning("id")
    .execute();
  if (added.length > 0) return "added";
  const known = await tx
    .selectFrom("commands")
    .select("request_hash")
    .where("call_id", "=", command.callId)
    .where("id", "=", command.id)
    .executeTakeFirst();
  return known?.request_hash === command.requestHash ? "known" : "conflict";
}
