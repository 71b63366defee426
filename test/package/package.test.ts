import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder = "";
let files: string[] = [];

/** A folder with the packed package installed, as a user has it; dependencies are borrowed from here. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-package-"));
  const run = (command: string, args: string[]): string =>
    execFileSync(command, args, { cwd: ROOT, encoding: "utf8" });
  // The build of the tests' own run, without the one that npm pack would start.
  run("npm", ["run", "--silent", "build"]);
  const packed = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]));
  files = packed[0].files.map((file: { path: string }) => file.path);
  run("tar", ["-xzf", join(folder, packed[0].filename), "-C", folder]);
  cpSync(join(folder, "package"), join(folder, "node_modules", "ringback"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules", "ringback", "node_modules"));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(script: string): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
    encoding: "utf8",
  });
}

describe("the packed package", () => {
  test("holds the program, its types and the sample, and no tests", () => {
    expect(files).toEqual(
      expect.arrayContaining(["dist/index.js", "dist/index.d.ts", "assets/sample.mp3", "LICENSE"]),
    );
    expect(files.filter((file) => /\.test\.|^src\/|^test\/|tsbuildinfo/.test(file))).toEqual([]);
  });

  test.each([
    ["ringback", "createGateway"],
    ["ringback/sdp", "lintSdp"],
    ["ringback/simulator", "createSimulator"],
    ["ringback/testing", "ManualClock"],
  ])("%s can be imported and has %s", (name, member) => {
    expect(node(`import { ${member} } from "${name}"; console.log(typeof ${member});`).trim()).toBe(
      "function",
    );
  });

  test("its media workers start from the package, of a program on the command line, too", () => {
    const script = `import { createGateway } from "ringback";
      const options = { token: "a", appSecret: "b", verifyToken: "c", phoneNumbers: ["1"] };
      const gateway = createGateway({ ...options, media: { bindAddress: "127.0.0.1", workers: 2 } }).onCall(() => {});
      await gateway.listen({ port: 0 });
      console.log(gateway.status.media.workers.map((worker) => worker.isUp).join());
      await gateway.close();`;
    expect(node(script).trim()).toBe("true,true");
  });

  test("require() of it works as well", () => {
    const script = `import { createRequire } from "node:module";
      console.log(typeof createRequire(process.cwd() + "/x.js")("ringback").createGateway);`;
    expect(node(script).trim()).toBe("function");
  });

  test("its command can be started as it was built: npx links to it without touching it", () => {
    expect(statSync(join(ROOT, "dist", "cli", "main.js")).mode & 0o111).toBe(0o111);
  });

  test("its command says its version", () => {
    const main = join(folder, "node_modules", "ringback", "dist", "cli", "main.js");
    expect(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" }).trim()).toMatch(
      /^\d+\.\d+\.\d+/,
    );
  });
});
