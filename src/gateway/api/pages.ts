import { z } from "zod";

/** Of every list. */
export const MAX_PAGE = 100;
const DEFAULT_PAGE = 50;

/** How many items a page has at most. */
export const pageLimit: z.ZodType<number> = z.coerce
  .number()
  .int()
  .min(1)
  .max(MAX_PAGE)
  .default(DEFAULT_PAGE)
  .describe(`Items of a page, 1 to ${MAX_PAGE}.`);

/** `next` of the page before. */
export const pageCursor: z.ZodType<string | undefined> = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,200}$/, "must be `next` of the page before")
  .optional()
  .describe("`next` of the page before.");

/** A page of a list. */
export function pageOf(item: z.ZodType): z.ZodType {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().describe("`cursor` of the following page; null: there is none."),
  });
}

/** ISO 8601 in UTC, with milliseconds. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

export function isoTimeOrNull(at: number | null): string | null {
  return at === null ? null : isoTime(at);
}
