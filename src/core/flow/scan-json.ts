/** A place in a text; both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export interface JsonFault extends TextPlace {
  readonly message: string;
}

/** Where a member or an element begins: the offset of its name, or of its value in an array. */
type OnPlace = (path: string, offset: number) => void;

/** Deeper JSON is no flow, and would take the stack of whoever walks it. */
const MAX_DEPTH = 64;
/** Beyond these, a place is not told: nobody can find it by its path. */
const MAX_NAME_CHARS = 128;
const MAX_PATH_CHARS = 1_024;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD_AHEAD = /[^\s,:\]}]{1,20}/y;

/**
 * The first thing that keeps a text from being JSON (RFC 8259); null when there is none. Names that an object has twice
 * are a fault as well: readers would take the last one and say nothing.
 */
export function findJsonFault(text: string): JsonFault | null {
  try {
    new JsonScanner(text, null).scan("");
    return null;
  } catch (error) {
    if (error instanceof ScanError) return { ...placeAt(text, error.offset), message: error.message };
    throw error;
  }
}

/**
 * Finds where values stand in a text that is JSON.
 * @param paths As in `steps[2].on.1`.
 * @param root Path of the whole.
 */
export function placesInJson(
  text: string,
  paths: ReadonlySet<string>,
  root: string,
): ReadonlyMap<string, TextPlace> {
  const places = new Map<string, TextPlace>();
  new JsonScanner(text, (path, offset) => {
    if (paths.has(path)) places.set(path, placeAt(text, offset));
  }).scan(root);
  return places;
}

/** `a.b` and `a[2]`; at the root, `b` alone. */
export function joinPath(path: string, key: PropertyKey): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? String(key) : `${path}.${String(key)}`;
}

function placeAt(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let i = before.indexOf("\n"); i !== -1; i = before.indexOf("\n", i + 1)) line += 1;
  return { line, column: offset - lineStart + 1 };
}

class ScanError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Reads JSON once from front to back, and keeps nothing of it. */
class JsonScanner {
  readonly #text: string;
  readonly #onPlace: OnPlace | null;
  #offset = 0;

  constructor(text: string, onPlace: OnPlace | null) {
    this.#text = text;
    this.#onPlace = onPlace;
  }

  scan(root: string): void {
    this.#skip(SPACE);
    this.#value(root, 0);
    this.#skip(SPACE);
    if (this.#offset < this.#text.length) this.#fail(`expected the end of the text, got ${this.#ahead()}`);
  }

  #value(path: string | null, depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    const next = this.#text[this.#offset];
    if (next === "{") this.#object(path, depth);
    else if (next === "[") this.#array(path, depth);
    else if (next === '"') this.#string();
    else if (!this.#skip(NUMBER) && !this.#skip(LITERAL))
      this.#fail(`expected a value, got ${this.#ahead()}`);
  }

  #object(path: string | null, depth: number): void {
    this.#offset += 1;
    const names = new Set<string>();
    this.#list("}", () => {
      if (this.#text[this.#offset] !== '"')
        this.#fail(`expected a name in double quotes, got ${this.#ahead()}`);
      const start = this.#offset;
      this.#string();
      const name = JSON.parse(this.#text.slice(start, this.#offset)) as string;
      if (names.has(name)) this.#fail(`the name ${JSON.stringify(name.slice(0, 40))} is here twice`, start);
      names.add(name);
      this.#skip(SPACE);
      if (!this.#take(":")) this.#fail(`expected : after a name, got ${this.#ahead()}`);
      this.#skip(SPACE);
      this.#value(this.#enter(path, name, start), depth + 1);
    });
  }

  #array(path: string | null, depth: number): void {
    this.#offset += 1;
    let index = 0;
    this.#list("]", () => {
      this.#value(this.#enter(path, index, this.#offset), depth + 1);
      index += 1;
    });
  }

  /** Tells of a place. @returns Its path, null when nobody asks for what is in it. */
  #enter(path: string | null, key: string | number, offset: number): string | null {
    if (this.#onPlace === null || path === null || path.length > MAX_PATH_CHARS) return null;
    if (typeof key === "string" && key.length > MAX_NAME_CHARS) return null;
    const entered = joinPath(path, key);
    this.#onPlace(entered, offset);
    return entered;
  }

  /** What stands between the brackets, from behind the first to behind the last. */
  #list(end: string, readItem: () => void): void {
    this.#skip(SPACE);
    if (this.#take(end)) return;
    for (;;) {
      readItem();
      this.#skip(SPACE);
      if (this.#take(end)) return;
      if (!this.#take(",")) this.#fail(`expected , or ${end}, got ${this.#ahead()}`);
      this.#skip(SPACE);
      if (this.#text[this.#offset] === end) this.#fail(`there must be no comma before ${end}`);
    }
  }

  #string(): void {
    const start = this.#offset;
    this.#offset += 1;
    for (;;) {
      const code = this.#text.charCodeAt(this.#offset);
      if (Number.isNaN(code) || code === 10)
        this.#fail("a text that is not closed with a double quote", start);
      if (code < 32) this.#fail("a control character in a text: write it as \\t or \\u00…");
      if (code === 34) break;
      if (code !== 92) this.#offset += 1;
      else if (!this.#skip(ESCAPE)) this.#fail("a \\ that begins nothing known: write \\\\ for a backslash");
    }
    this.#offset += 1;
  }

  #take(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false;
    this.#offset += 1;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#offset;
    if (!pattern.test(this.#text)) return false;
    this.#offset = pattern.lastIndex;
    return true;
  }

  #ahead(): string {
    WORD_AHEAD.lastIndex = this.#offset;
    const word = WORD_AHEAD.exec(this.#text)?.[0] ?? this.#text[this.#offset];
    return word === undefined ? "the end of the text" : JSON.stringify(word);
  }

  #fail(message: string, offset = this.#offset): never {
    throw new ScanError(message, offset);
  }
}
