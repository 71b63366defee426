import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startHttpRig } from "../../test/support/http-rig.ts";
import { createRequestPolicy, guardedRequest, type RequestOptions } from "./outgoing-request.ts";

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A self-signed certificate; null where openssl (Debian: `openssl`) is not installed. */
function createCertificate(names: string): Certificate | null {
  const folder = mkdtempSync(join(tmpdir(), "ringback-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", "/CN=ivr.example", "-addext", `subjectAltName=${names}`];
  try {
    execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const both = createCertificate("DNS:ivr.example,IP:127.0.0.1");
const nameOnly = createCertificate("DNS:ivr.example");

function policy(ca: Certificate, options: RequestOptions = {}): ReturnType<typeof createRequestPolicy> {
  return createRequestPolicy({
    allowedHosts: ["127.0.0.0/8"],
    resolve: async () => ["127.0.0.1"],
    ca: ca.cert,
    ...options,
  });
}

describe.skipIf(both === null || nameOnly === null)("over https", () => {
  test.each(["ivr.example", "IVR.example.", "127.0.0.1"])(
    "a certificate of %s is taken for it",
    async (host) => {
      const rig = await startHttpRig((_, response) => response.end("fine"), both);
      const answer = await guardedRequest({ url: `https://${host}:${rig.port}/` }, policy(both!));
      expect(answer.status).toBe(200);
    },
  );

  test.each([
    ["other.example", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["127.0.0.1", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("a certificate of another than %s is not taken", async (host, code) => {
    const rig = await startHttpRig((_, response) => response.end("fine"), nameOnly);
    const work = guardedRequest({ url: `https://${host}:${rig.port}/` }, policy(nameOnly!));
    await expect(work).rejects.toMatchObject({
      code: "REQUEST_FAILED",
      details: { reason: "network" },
      message: expect.stringContaining(code),
    });
    expect(rig.seen).toEqual([]);
  });

  test("a certificate of an unknown authority is not taken", async () => {
    const rig = await startHttpRig((_, response) => response.end("fine"), both);
    const work = guardedRequest({ url: `https://ivr.example:${rig.port}/` }, policy(nameOnly!));
    await expect(work).rejects.toMatchObject({ code: "REQUEST_FAILED", details: { reason: "network" } });
    expect(rig.seen).toEqual([]);
  });

  test("a redirect to http is refused, even where http is allowed", async () => {
    const plain = await startHttpRig((_, response) => response.end("fine"));
    const rig = await startHttpRig((_, response) => {
      response.writeHead(307, { location: plain.url }).end();
    }, both);
    const work = guardedRequest({ url: rig.url, body: "text" }, policy(both!, { allowHttp: true }));
    await expect(work).rejects.toMatchObject({ code: "REQUEST_REFUSED", details: { reason: "plain-http" } });
    expect(plain.seen).toEqual([]);
  });

  test("a redirect from http is followed", async () => {
    const rig = await startHttpRig((_, response) => response.end("fine"), both);
    const plain = await startHttpRig((_, response) => response.writeHead(302, { location: rig.url }).end());
    const answer = await guardedRequest({ url: plain.url }, policy(both!, { allowHttp: true }));
    expect(answer.url).toBe(`${rig.url}/`);
  });
});
