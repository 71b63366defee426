import type { z } from "zod";
import { joinPath } from "./scan-json.ts";
import { unknownVerb } from "./schema.ts";
import { didYouMean } from "./suggest.ts";

type Issue = z.core.$ZodIssue;
type IssueOf<C extends Issue["code"]> = Extract<Issue, { code: C }>;

/** Something wrong, and where. */
export interface PathProblem {
  /** As in `steps[2].on.1`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text in double quotes",
  boolean: "true or false",
  array: "a list in square brackets",
  tuple: "a list in square brackets",
  object: "an object in braces",
  record: "an object in braces",
};

/**
 * What the schema found, in the words of who writes a flow.
 * @param value What it was found in.
 */
export function describeIssues(issues: readonly Issue[], value: unknown): readonly PathProblem[] {
  return issues.flatMap((issue) => describe(issue, "", value));
}

/** @param base Path of what the issue's own path begins at, and its value. */
function describe(issue: Issue, base: string, value: unknown): readonly PathProblem[] {
  const path = issue.path.reduce<string>(joinPath, base);
  const found = issue.path.reduce<unknown>(memberOf, value);
  switch (issue.code) {
    case "unrecognized_keys": {
      const messages = issue.message.split("\n");
      return issue.keys.map((key, i) => ({
        path: joinPath(path, key),
        message: messages[i] ?? "unknown field",
      }));
    }
    case "invalid_union":
      return describeUnion(issue, path, found);
    case "invalid_key":
      return [{ path, message: issue.issues[0]?.message ?? "must not be here" }];
    case "invalid_type":
      return [{ path, message: describeType(issue, found) }];
    case "invalid_value":
      return [{ path, message: describeValue(issue, found) }];
    case "too_small":
      return [
        { path, message: describeBound("at least", issue.origin, Number(issue.minimum), issue.message) },
      ];
    case "too_big":
      return [
        { path, message: describeBound("at most", issue.origin, Number(issue.maximum), issue.message) },
      ];
    case "custom":
      return [
        { path, message: issue.message + (issue.params?.["isTimeZone"] === true ? zoneHint(found) : "") },
      ];
    case "invalid_format":
    case "invalid_element":
    case "not_multiple_of":
      return [{ path, message: issue.message }];
  }
}

/** A union says what is wrong with the alternative that was meant, where one can be told by its form. */
function describeUnion(
  issue: IssueOf<"invalid_union">,
  path: string,
  found: unknown,
): readonly PathProblem[] {
  if (issue.discriminator === "verb") {
    return [
      { path, message: found === undefined ? `is missing: ${unknownVerb(found)}` : unknownVerb(found) },
    ];
  }
  if (issue.discriminator !== undefined && "options" in issue) {
    return [{ path, message: oneOf(issue.options ?? [], found) }];
  }
  const meant = issue.errors.filter((issues) => issues.every(isInside));
  const [first] = meant.length === 1 ? meant : meant.filter((issues) => issues.every(isKnown));
  if (first === undefined) {
    return [{ path, message: found === undefined ? `is missing: it ${issue.message}` : issue.message }];
  }
  return first.flatMap((inner) => describe(inner, path, found));
}

/** False for an issue that says that another form altogether is needed. */
function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || !["invalid_type", "invalid_value"].includes(issue.code);
}

/** False for an object that has what an alternative does not know, or that lacks what it needs. */
function isKnown(issue: Issue): boolean {
  if (issue.code === "unrecognized_keys") return issue.path.length > 0;
  return !(issue.code === "invalid_type" && issue.path.length === 1);
}

function describeType({ expected, message }: IssueOf<"invalid_type">, found: unknown): string {
  // zod tells a number with a fraction from a whole one as another type.
  const needed = TYPE_NAMES[expected] ?? message;
  return found === undefined ? `is missing: it must be ${needed}` : `must be ${needed}`;
}

function describeValue({ values }: IssueOf<"invalid_value">, found: unknown): string {
  const message = oneOf(values, found);
  return found === undefined ? `is missing: it ${message}` : message;
}

function oneOf(values: readonly unknown[], found: unknown): string {
  const listed = values.map((value) => JSON.stringify(value)).join(", ");
  const names = values.filter((value): value is string => typeof value === "string");
  return `must be ${values.length > 1 ? "one of " : ""}${listed}${typeof found === "string" ? didYouMean(found, names) : ""}`;
}

function describeBound(bound: string, origin: string, limit: number, message: string): string {
  if (origin === "array") return `must have ${bound} ${limit} ${limit === 1 ? "entry" : "entries"}`;
  // A text that may not be empty says so itself.
  if (origin === "string") return limit === 1 ? message : `must have ${bound} ${limit} characters`;
  return `must be ${bound} ${limit}`;
}

/** Here, and not in the schema: it compares with hundreds of names, and is needed for those problems alone that are told. */
function zoneHint(found: unknown): string {
  return typeof found === "string" ? didYouMean(found, Intl.supportedValuesOf("timeZone")) : "";
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
