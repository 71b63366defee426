import { type Command, InvalidArgumentError, Option } from "commander";
import { isScope, SCOPES, type Scope } from "../gateway/api/scopes.ts";
import type { CliIo } from "./io.ts";

interface CreateFlags {
  readonly name: string;
  readonly scope: readonly (Scope | "all")[];
  readonly phoneNumberId?: string;
  readonly expires?: number;
  readonly config?: string;
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Ten years: what is longer is meant as `never`. */
const MAX_LIFE_MS = 3_650 * 86_400_000;

/** Adds `keys create`, `keys list` and `keys revoke`. They work while the gateway runs. */
export function addKeyCommands(program: Command, io: CliIo): void {
  const keys = program.command("keys").description("make, list and revoke the keys of the control API");
  const config = (): Option => new Option("--config <file>", "JSON file of settings (RINGBACK_CONFIG)");
  keys
    .command("create")
    .description("Make a key and print it, this once. It alone goes to standard output.")
    .requiredOption("--name <name>", "for people: who has it, what for", parseName)
    .requiredOption("--scope <scope...>", `what it may do: ${SCOPES.join(", ")}, or all`, parseScope)
    .option("--phone-number-id <id>", "the only number that it sees and touches. Default: all", parseNumberId)
    .option("--expires <time>", "30d, 12h, 15m. Default: never", parseLife)
    .addOption(config())
    .action(async (flags: CreateFlags) => (await import("./keys-run.ts")).createKeyBy(flags, io));
  keys
    .command("list")
    .description("List all keys, without their secrets.")
    .option("--json", "as JSON, for programs")
    .addOption(config())
    .action(async (flags: { readonly json?: boolean; readonly config?: string }) =>
      (await import("./keys-run.ts")).listKeys(flags, io),
    );
  keys
    .command("revoke")
    .description("Revoke a key, from its next request on. Exit code 1 when there is none.")
    .argument("<id>", "key_…, as keys list has it")
    .addOption(config())
    .action(async (id: string, flags: { readonly config?: string }) =>
      (await import("./keys-run.ts")).revokeKeyBy(id, flags, io),
    );
}

function parseName(text: string): string {
  const name = text.trim();
  if (name.length >= 1 && name.length <= 100) return name;
  throw new InvalidArgumentError("It must have 1 to 100 characters.");
}

function parseScope(text: string, before: readonly string[] = []): readonly string[] {
  if (text === "all" || isScope(text)) return [...before, text];
  throw new InvalidArgumentError(`It must be one of ${SCOPES.join(", ")}, or all.`);
}

function parseNumberId(text: string): string {
  if (/^\d{1,32}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be digits: the phone number id, not the number.");
}

function parseLife(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const lifeMs = Number(count) * (UNIT_MS[unit] ?? 0);
  if (lifeMs > 0 && lifeMs <= MAX_LIFE_MS) return lifeMs;
  throw new InvalidArgumentError("It must be a time such as 30d, 12h or 15m, ten years at most.");
}
