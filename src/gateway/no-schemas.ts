import type { FastifyServerOptions } from "fastify";

type SchemaController = NonNullable<FastifyServerOptions["schemaController"]>;

/** Never called: no route has a JSON schema. */
const compilersFactory = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => JSON.stringify,
};

/**
 * Requests are checked by zod, and none by fastify's own JSON schemas: neither is their compiler loaded, which takes a tenth of a second
 * of every start.
 */
export const NO_SCHEMAS: SchemaController = { compilersFactory } as unknown as SchemaController;
