// The gateway in a process of its own, on the first core.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { PROGRAM_CORE, pinned } from "./machine.mjs";

/** @returns `ask` sends a message and resolves with the answer; one at a time. */
export function startProgram(file, core = PROGRAM_CORE) {
  const [command, args] = pinned(core, process.execPath, []);
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { execPath: command, execArgv: args });
  const exited = once(child, "exit").then(([code, signal]) => {
    throw new Error(`${file} ended: ${code ?? signal}`);
  });
  exited.catch(() => {});
  const ask = async (message) => {
    child.send(message);
    const [answer] = await Promise.race([once(child, "message"), exited]);
    return answer;
  };
  const stop = async () => {
    if (child.connected) child.send({ stop: true });
    await exited.catch(() => {});
  };
  return { ask, stop, pid: child.pid };
}
