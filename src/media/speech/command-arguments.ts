import { optionError } from "./speech-error.ts";
import type { SpokenText } from "./spoken-text.ts";

const PLACEHOLDERS = ["text", "voice", "language", "output"] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

const PLACEHOLDER = /\{([a-z]+)\}/g;

/** Arguments of a program with `{text}`, `{voice}`, `{language}` and `{output}` in them. */
export class CommandArguments {
  readonly #templates: readonly string[];
  readonly #used: ReadonlySet<string>;

  /** @throws {RingbackError} `OPTION_INVALID` for a placeholder that is none. */
  constructor(templates: readonly string[]) {
    this.#templates = templates;
    const used = templates.flatMap((template) => {
      return [...template.matchAll(PLACEHOLDER)].map((match) => match[1] ?? "");
    });
    const unknown = used.find((name) => !isPlaceholder(name));
    if (unknown !== undefined) {
      const known = PLACEHOLDERS.map((name) => `{${name}}`).join(", ");
      throw optionError("args", `args: {${unknown}} is unknown; there are ${known}`);
    }
    this.#used = new Set(used);
  }

  has(placeholder: Placeholder): boolean {
    return this.#used.has(placeholder);
  }

  /** @param output Path of the file that the program is to write. */
  fill(spoken: SpokenText, output: string): readonly string[] {
    const values: Readonly<Record<Placeholder, string>> = {
      text: spoken.text,
      voice: spoken.voice ?? "",
      language: spoken.language ?? "",
      output,
    };
    return this.#templates.map((template) => {
      // In one pass: a text that has {voice} in it stays as it is.
      const filled = template.replace(PLACEHOLDER, (_, name: Placeholder) => values[name]);
      // A text that begins with "-" would be an option, one with "@" to some programs a file. No voice speaks the space.
      return template.startsWith("{text}") && !/^[\p{L}\p{N}]/u.test(filled) ? ` ${filled}` : filled;
    });
  }
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}
