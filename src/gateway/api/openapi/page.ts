import { createHash } from "node:crypto";
import { PROBLEMS } from "../problems.ts";
import type { OpenApiDocument, OpenApiOperation, OpenApiParameter } from "./document.ts";
import type { JsonSchema } from "./json-schemas.ts";

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem 1.25rem 4rem}
h1,h2,h3{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid var(--line)}h3{margin-top:2.5rem}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:var(--soft);padding:.75rem;overflow:auto;border-radius:6px}
table{border-collapse:collapse;width:100%;margin:.5rem 0}td,th{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line)}
nav a{margin-right:1rem}.method{font-weight:700}.scope{border:1px solid var(--line);border-radius:4px;padding:0 .4rem;font-size:14px}
summary{cursor:pointer}
`;

/** Nothing from anywhere, no script, no frame; the one style is known by its hash. */
export const PAGE_SECURITY_POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The OpenAPI document as a page to be read. */
export function apiPage(document: OpenApiDocument): string {
  const { title, description } = document.info as { readonly title: string; readonly description: string };
  const tags = document.tags.map(({ name }) => name);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escapeHtml(title)}</h1><p>${inline(description)}</p>`,
    '<p>For machines: <a href="/v1/openapi.json">openapi.json</a>.</p>',
    `<nav>${[...tags, "Schemas", "Problems"].map(link).join("")}</nav>`,
    ...tags.map((tag) => tagSection(tag, document)),
    schemaSection(document),
    problemSection(),
    "</body></html>",
  ].join("\n");
}

function link(name: string): string {
  return `<a href="#${anchor(name)}">${escapeHtml(name)}</a>`;
}

function tagSection(tag: string, { paths }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.includes(tag))
      .map(([method, operation]) => operationSection(method.toUpperCase(), path, operation)),
  );
  return `<h2 id="${anchor(tag)}">${escapeHtml(tag)}</h2>${operations.join("\n")}`;
}

function operationSection(method: string, path: string, operation: OpenApiOperation): string {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  const [scope] = Object.values(security[0] ?? {}).flat();
  const needs = security.length === 0 ? "no key" : (scope ?? "any key");
  return [
    `<h3 id="${escapeHtml(operationId)}"><span class="method">${method}</span> <code>${escapeHtml(path)}</code></h3>`,
    `<p>${inline(summary)} <span class="scope">${escapeHtml(needs)}</span></p>`,
    description === undefined ? "" : `<p>${inline(description)}</p>`,
    parameters.length === 0 ? "" : parameterTable(parameters),
    requestBody === undefined ? "" : `<p>Body: ${contentOf(requestBody)}</p>`,
    `<table><tr><th>Status</th><th>Answer</th></tr>${Object.entries(responses).map(responseRow).join("")}</table>`,
  ].join("");
}

function parameterTable(parameters: readonly OpenApiParameter[]): string {
  const rows = parameters.map(
    ({ name, in: place, required, description = "", schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ", needed" : ""}</td>` +
      `<td>${inline(description)} ${schemaText(schema)}</td></tr>`,
  );
  return `<table><tr><th>Parameter</th><th>In</th><th></th></tr>${rows.join("")}</table>`;
}

function responseRow([status, response]: readonly [string, JsonSchema]): string {
  const content = contentOf(response);
  return `<tr><td>${status}</td><td>${inline(String(response["description"]))} ${content}</td></tr>`;
}

function contentOf(part: JsonSchema): string {
  const content = (part["content"] ?? {}) as Readonly<Record<string, { readonly schema?: JsonSchema }>>;
  return Object.entries(content)
    .map(([type, { schema }]) =>
      schema === undefined ? `<code>${escapeHtml(type)}</code>` : schemaText(schema),
    )
    .join(" ");
}

function schemaText(schema: JsonSchema): string {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.split("/").at(-1) ?? "";
    return `<a href="#${anchor(`schema ${name}`)}">${escapeHtml(name)}</a>`;
  }
  const text = JSON.stringify(schema);
  if (text.length <= 100) return `<code>${escapeHtml(text)}</code>`;
  return `<details><summary>schema</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`;
}

function schemaSection({ components }: OpenApiDocument): string {
  const schemas = components["schemas"] as Readonly<Record<string, JsonSchema>>;
  const parts = Object.entries(schemas).map(
    ([name, schema]) =>
      `<h3 id="${anchor(`schema ${name}`)}">${escapeHtml(name)}</h3><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre>`,
  );
  return `<h2 id="schemas">Schemas</h2>${parts.join("")}`;
}

/** Where the `type` of a problem document leads. */
function problemSection(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  );
  return `<h2 id="problems">Problems</h2><table><tr><th>Code</th><th>Status</th><th></th></tr>${rows.join("")}</table>`;
}

function anchor(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

/** Markdown as far as summaries have it: code. */
function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}
