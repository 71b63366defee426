import { z } from "zod";
import { defineRoute, type RouteDefinition } from "../route.ts";
import { type OpenApiDocument, openApiDocument } from "./document.ts";
import { apiPage, PAGE_SECURITY_POLICY } from "./page.ts";

/**
 * The API's own description. It needs a key, as everything does; a browser asks a person for it.
 * @param others All other routes.
 */
export function docsRoutes(others: readonly RouteDefinition[]): readonly RouteDefinition[] {
  // Made when somebody wants it: a gateway starts faster without.
  let made: { readonly json: string; readonly page: string } | null = null;
  const make = (): { readonly json: string; readonly page: string } => {
    made ??= write(openApiDocument([...others, ...routes]));
    return made;
  };
  const document = defineRoute({
    method: "GET",
    path: "/v1/openapi.json",
    operationId: "getOpenApi",
    tag: "Documents",
    summary: "Gives the OpenAPI 3.1 document of this API.",
    access: "any-key",
    isPage: true,
    responses: {
      200: { description: "The document.", schema: z.record(z.string(), z.unknown()) },
    },
    handle: () => ({ status: 200, body: make().json }),
  });
  const page = defineRoute({
    method: "GET",
    path: "/docs",
    operationId: "getDocs",
    tag: "Documents",
    summary: "Gives the same document as a page.",
    description:
      "A browser asks for a user and a password: the key is the password, and the user is not looked at.",
    access: "any-key",
    isPage: true,
    responses: { 200: { description: "The page.", contentType: "text/html; charset=utf-8" } },
    handle: () => ({
      status: 200,
      body: make().page,
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": PAGE_SECURITY_POLICY },
    }),
  });
  const routes = [document, page];
  return routes;
}

function write(document: OpenApiDocument): { readonly json: string; readonly page: string } {
  return { json: JSON.stringify(document), page: apiPage(document) };
}
