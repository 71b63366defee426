import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

export interface PostgresServer {
  /** `postgres://…` of a database of its own. */
  readonly url: string;
  /** Ends it, and removes what it wrote. */
  stop(): Promise<void>;
  /** Ends it at once, as a power cut does to the program: nothing is written any more. */
  kill(): Promise<void>;
  /** On the same port, with the data that was there; after `kill`, or instead of it. */
  restart(): Promise<void>;
}

/** Why there is none, for the names of skipped tests. */
export const POSTGRES_MISSING = "PostgreSQL is not installed (Debian: apt-get install postgresql)";

const START_MS = 30_000;
const POLL_MS = 50;

/** Folder of `initdb` and `postgres`; null when it is not installed. */
export async function findPostgres(): Promise<string | null> {
  const debian = "/usr/lib/postgresql";
  const versions = (await readdir(debian).catch((): string[] => [])).sort(
    (one, other) => Number(other) - Number(one),
  );
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  for (const folder of folders) {
    const names = await readdir(folder).catch((): string[] => []);
    if (names.includes("initdb") && names.includes("postgres")) return folder;
  }
  return null;
}

/** Debian's server in a temporary folder, on a port of 127.0.0.1 that was free, writing to the disk as in earnest. */
export async function startPostgres(): Promise<PostgresServer | null> {
  const binaries = await findPostgres();
  if (binaries === null) return null;
  const user = await serverUser();
  const folder = await mkdtemp(join(tmpdir(), "ringback-postgres-"));
  if (user !== null) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const as = user === null ? {} : { uid: user.uid, gid: user.gid };
  const options = ["-D", data, "-U", "ringback", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  await run(join(binaries, "initdb"), options, { ...as, cwd: folder });
  const port = await freePort();
  return await ServerProcess.start({ binary: join(binaries, "postgres"), data, folder, port, as });
}

interface ServerPlace {
  readonly binary: string;
  readonly data: string;
  readonly folder: string;
  readonly port: number;
  readonly as: { readonly uid?: number; readonly gid?: number };
}

class ServerProcess implements PostgresServer {
  readonly url: string;
  readonly #place: ServerPlace;
  #child: ChildProcess | null = null;

  private constructor(place: ServerPlace) {
    this.#place = place;
    this.url = `postgres://ringback@127.0.0.1:${place.port}/postgres`;
  }

  static async start(place: ServerPlace): Promise<ServerProcess> {
    const server = new ServerProcess(place);
    await server.#spawn();
    return server;
  }

  async stop(): Promise<void> {
    // Fast: open sessions are ended.
    await this.#end("SIGINT");
    await rm(this.#place.folder, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    // Immediate: all its processes end without writing; SIGKILL would leave those that hold its shared memory.
    await this.#end("SIGQUIT");
  }

  async restart(): Promise<void> {
    await this.#end("SIGINT");
    await this.#spawn();
  }

  async #spawn(): Promise<void> {
    const { binary, data, folder, port, as } = this.#place;
    const settings = [
      `port=${port}`,
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${folder}`,
      "fsync=on",
    ];
    const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
    const child = spawn(binary, args, { ...as, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr?.on("data", (text: Buffer) => {
      said = `${said}${text.toString()}`.slice(-2_000);
    });
    this.#child = child;
    const orphaned = (): void => void child.kill("SIGQUIT");
    process.once("exit", orphaned);
    child.once("exit", () => process.removeListener("exit", orphaned));
    try {
      await answers(this.url, child);
    } catch (error) {
      throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await ended;
  }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + START_MS; ; ) {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("select 1");
      return;
    } catch (error) {
      if (Date.now() > until || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** It refuses to run as root: `postgres`, which Debian's package makes, takes its place. */
async function serverUser(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]).catch(() => null);
    if (ids !== null) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  return null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

let made = 0;

/** A schema of its own in a server that several tests share: as good as a database, and made sooner. */
export async function createSchema(serverUrl: string): Promise<string> {
  const name = await make(serverUrl, "schema");
  const url = new URL(serverUrl);
  url.searchParams.set("options", `-c search_path=${name}`);
  return url.href;
}

/** A database of its own in such a server. */
export async function createDatabase(serverUrl: string): Promise<string> {
  const name = await make(serverUrl, "database");
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function make(serverUrl: string, what: "schema" | "database"): Promise<string> {
  made += 1;
  const name = `test_${process.pid}_${made}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create ${what} ${name}`);
  await client.end();
  return name;
}
