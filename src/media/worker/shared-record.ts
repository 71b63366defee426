/** The shape of `T`: a 0 for every number, whether or not it may be null. Complete by its type. */
export type RecordShape<T> = {
  readonly [K in keyof T]-?: NonNullable<T[K]> extends number ? 0 : RecordShape<NonNullable<T[K]>>;
};

type Shape = { readonly [key: string]: 0 | Shape };
type Value = number | null | { readonly [key: string]: Value };

interface Field {
  readonly key: string;
  /** Null: a number. */
  readonly fields: readonly Field[] | null;
}

/**
 * Keeps objects of numbers, nulls and such objects in memory that threads share, one 64-bit float per number.
 *
 * Null is NaN; an object whose numbers are all null is null itself. There is no lock: a reader may find some numbers of
 * one writing and some of the next, but no number is half of each.
 */
export class SharedRecord<T extends object> {
  /** How many floats a record takes. */
  readonly length: number;
  readonly #fields: readonly Field[];

  constructor(shape: RecordShape<T>) {
    this.#fields = fieldsOf(shape as Shape);
    this.length = count(this.#fields);
  }

  write(record: T, into: Float64Array): void {
    writeFields(this.#fields, record as Value, into, 0);
  }

  read(from: Float64Array): T {
    const reader = new Reader(from);
    return reader.read(this.#fields) as T;
  }
}

function fieldsOf(shape: Shape): readonly Field[] {
  return Object.entries(shape).map(([key, value]) => ({ key, fields: value === 0 ? null : fieldsOf(value) }));
}

function count(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + (field.fields === null ? 1 : count(field.fields)), 0);
}

/** Returns the place after the last one. */
function writeFields(fields: readonly Field[], record: Value, into: Float64Array, start: number): number {
  let at = start;
  for (const { key, fields: inner } of fields) {
    const value = typeof record === "object" && record !== null ? (record[key] ?? null) : null;
    if (inner !== null) at = writeFields(inner, value, into, at);
    else {
      into[at] = typeof value === "number" ? value : Number.NaN;
      at += 1;
    }
  }
  return at;
}

class Reader {
  readonly #from: Float64Array;
  #at = 0;

  constructor(from: Float64Array) {
    this.#from = from;
  }

  read(fields: readonly Field[]): Value {
    const entries = fields.map(({ key, fields: inner }): [string, Value] => [
      key,
      inner === null ? this.#number() : this.#object(inner),
    ]);
    return Object.fromEntries(entries);
  }

  #object(fields: readonly Field[]): Value {
    const value = this.read(fields);
    return isEmpty(value) ? null : value;
  }

  #number(): number | null {
    const number = this.#from[this.#at] ?? Number.NaN;
    this.#at += 1;
    return Number.isNaN(number) ? null : number;
  }
}

function isEmpty(value: Value): boolean {
  return value === null || (typeof value === "object" && Object.values(value).every(isEmpty));
}
