import { readTextFile } from "../platform/files.ts";
import type { CliIo } from "./io.ts";

/** The terminal that the program was started in. */
export const processIo: CliIo = {
  readFile: (path, maxBytes) => readTextFile(path, maxBytes),
  out: (line) => void process.stdout.write(`${line}\n`),
  write: (text) => void process.stdout.write(text),
  err: (line) => void process.stderr.write(`${line}\n`),
  setExitCode(code) {
    process.exitCode = code;
  },
};
