import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DtlsCertificate } from "../../src/core/transport/dtls/dtls-certificate.ts";

export type KeyKind = "ecdsa" | "ecdsa-p384" | "rsa";

const NEW_KEY: Readonly<Record<KeyKind, readonly string[]>> = {
  ecdsa: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "ecdsa-p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  rsa: ["-newkey", "rsa:2048"],
};

/** For what takes milliseconds: a peer that says nothing more fails the test before vitest gives up on it. */
const PATIENCE_MS = 10_000;

/** Turns the extended master secret off, for which 3.0 has no switch on the command line. */
const WITHOUT_EXTENDED_MASTER_SECRET = `openssl_conf = app
[app]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
Options = -ExtendedMasterSecret
`;

/** Null when there is no `openssl` command. */
export function opensslVersion(): string | null {
  const { status, stdout } = spawnSync("openssl", ["version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Certificates and settings that OpenSSL's commands read, in a folder of their own. */
export class OpensslFolder {
  readonly #path = mkdtempSync(join(tmpdir(), "ringback-"));

  /** Makes a self-signed certificate. @returns Its fingerprint, as SDP has it. */
  createCertificate(kind: KeyKind): { readonly algorithm: string; readonly value: string } {
    const [certificate, key] = this.#certificateFiles(kind);
    const files = ["-keyout", key, "-out", certificate];
    const always = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=openssl"];
    execFileSync("openssl", [...always, ...NEW_KEY[kind], ...files], { stdio: "ignore" });
    const { fingerprint256 } = new X509Certificate(readFileSync(certificate));
    return { algorithm: "sha-256", value: fingerprint256 };
  }

  useCertificate(kind: KeyKind): readonly string[] {
    const [certificate, key] = this.#certificateFiles(kind);
    return ["-cert", certificate, "-key", key];
  }

  /** Options that make OpenSSL verify our certificate, and give up when it does not. */
  trust({ der }: DtlsCertificate): readonly string[] {
    const file = join(this.#path, "trusted.pem");
    writeFileSync(file, new X509Certificate(der).toString());
    return ["-CAfile", file, "-verify_return_error"];
  }

  environmentWithoutExtendedMasterSecret(): NodeJS.ProcessEnv {
    const file = join(this.#path, "openssl.cnf");
    writeFileSync(file, WITHOUT_EXTENDED_MASTER_SECRET);
    return { ...process.env, OPENSSL_CONF: file };
  }

  remove(): void {
    rmSync(this.#path, { recursive: true });
  }

  #certificateFiles(kind: KeyKind): readonly [string, string] {
    return [join(this.#path, `${kind}.crt`), join(this.#path, `${kind}.key`)];
  }
}

/** A running `openssl s_client` or `s_server`. */
export class OpensslPeer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #changes = new EventEmitter<{ change: [] }>();
  #output = "";

  constructor(command: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
    this.#process = spawn("openssl", command, { env: environment });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#changes.emit("change");
      });
    }
    this.#process.on("close", () => this.#changes.emit("change"));
  }

  /** Everything that it printed. */
  get output(): string {
    return this.#output;
  }

  /** The first match of what it prints, or has printed. */
  async find(pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.#process.exitCode !== null)
        throw new Error(`openssl ended without ${pattern}: ${this.#output}`);
      await once(this.#changes, "change", { signal });
    }
  }

  /** What it exported for SRTP, in hex: the label and length that its options name. */
  async exportedKeys(): Promise<string> {
    return (await this.find(/Keying material: ([0-9A-F]+)\n/))[1] ?? "";
  }

  type(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }
}
