import { ContentType, type DtlsRecord } from "./record.ts";

/** What may overtake the messages that the keys come of is a Finished, in one record or a few. */
const MAX_RECORDS = 4;
const MAX_RECORD_BYTES = 256;

/** Protected handshake records that came before their keys. What does not fit is lost, and comes again with its flight. */
export class EarlyRecords {
  #records: DtlsRecord[] = [];

  /** Keeps a copy; false when it is not wanted. */
  keep(record: DtlsRecord): boolean {
    const { epoch, contentType, payload } = record;
    if (epoch !== 1 || contentType !== ContentType.handshake) return false;
    if (payload.length > MAX_RECORD_BYTES || this.#records.length === MAX_RECORDS) return false;
    this.#records.push({ ...record, payload: Uint8Array.from(payload) });
    return true;
  }

  /** Gives back what was kept, once. */
  takeAll(): readonly DtlsRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }
}
