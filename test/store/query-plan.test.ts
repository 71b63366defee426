import { sql } from "kysely";
import { expect, test } from "vitest";
import { openDatabase } from "../../src/store/open.ts";
import { describeStores, storeDeps } from "./rig.ts";
import { NOON, newEndpoint, writeCall } from "./samples.ts";

const PENDING = 100_000;

describeStores("an outbox with 100 000 deliveries that wait", (rig) => {
  test("what is due is found by its index, whether each call waits for a retry or not", async () => {
    const database = await rig.database();
    const store = await rig.open(database);
    const endpoint = newEndpoint();
    // Its event is what all of them carry; it waits for nobody.
    await writeCall(store, ["call.incoming"]);
    await store.endpoints.create(endpoint);
    const { db } = await openDatabase({ ...database, node: null }, storeDeps());
    // 1 000 calls with 100 events each, of which one is the first.
    // In parts: one statement may not take longer than the store lets any.
    for (let from = 0; from < PENDING; from += 10_000) {
      await sql`
        with recursive numbers (n) as (select ${sql.lit(from)} union all select n + 1 from numbers where n < ${sql.lit(from + 9_999)})
        insert into deliveries (id, endpoint_id, event_position, event_id, call_id, seq, state, head, attempts, next_at, first_at)
        select 'dlv_' || n, ${endpoint.id}, (select max(position) from events), 'evt', 'call_' || (n % 1000), n / 1000 + 1,
          'pending', case when n < 1000 then 1 else 0 end, 0, ${sql.lit(NOON)} + n, ${sql.lit(NOON)} from numbers`.execute(
        db,
      );
    }
    await sql`analyze`.execute(db);
    const options = {
      at: NOON * 2,
      limit: 50,
      exceptCallIds: Array.from({ length: 20 }, (_, index) => `call_${index}`),
    };
    const due = await store.outbox.due(endpoint.id, options);
    expect(due.length).toBe(50);
    expect(due[0]!.callId).toBe("call_20");
    const explain = store.backend === "sqlite" ? "explain query plan" : "explain";
    const { rows } = await sql
      .raw(
        `${explain} select * from deliveries where endpoint_id = '${endpoint.id}' and state = 'pending' and head = 1 and next_at <= ${NOON * 2} order by next_at, id limit 50`,
      )
      .execute(db);
    const plan = JSON.stringify(rows);
    expect(plan).toContain("deliveries_due");
    expect(plan).not.toMatch(/SCAN|TEMP B-TREE|Seq Scan|Sort/);
    await db.destroy();
  }, 60_000);
});
