import { FLOW_LIMITS } from "../core/flow/limits.ts";
import type { CallTags } from "./call.ts";
import { optionError } from "./verbs/option-checks.ts";

const { tags: MAX_TAGS, tagChars: MAX_CHARS } = FLOW_LIMITS;

/** Later values take the place of earlier ones. Throws `OPTION_INVALID`. */
export function mergeTags(before: CallTags, tags: CallTags): CallTags {
  for (const [name, value] of Object.entries(tags)) {
    if (name === "" || name.length > MAX_CHARS) {
      throw optionError("tags", `have names of 1 to ${MAX_CHARS} characters`);
    }
    const isValue = ["string", "number", "boolean"].includes(typeof value) && !Number.isNaN(value);
    if (!isValue || String(value).length > MAX_CHARS) {
      throw optionError(`tags.${name}`, `must be a number, yes or no, or at most ${MAX_CHARS} characters`);
    }
  }
  const merged = { ...before, ...tags };
  if (Object.keys(merged).length > MAX_TAGS) throw optionError("tags", `are ${MAX_TAGS} at most for a call`);
  return merged;
}
