// What the bench reads of the machine: CPU time, memory and cores, the same way for every program.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";

/** USER_HZ of every Linux that Node runs on: /proc counts CPU time in 10 ms ticks. */
const TICK_MS = 10;

/** The program under test has the first core, the load the second. */
export const PROGRAM_CORE = 0;
export const LOAD_CORE = 1;

const hasTaskset = canRun("taskset", ["-V"]);
export const isPinned = hasTaskset && availableParallelism() > 1;

/** What a command line becomes so that it runs on one core. */
export function pinned(core, command, args) {
  return isPinned ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
}

export function describeMachine() {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    kernel: release(),
    node: process.version,
    pinning: describePinning(),
  };
}

function describePinning() {
  if (isPinned) return `program on core ${PROGRAM_CORE}, load on core ${LOAD_CORE}`;
  if (availableParallelism() === 1) {
    return "one core for program and load: gaps, times and the most calls are worse than the program's own";
  }
  return "none (no taskset): the scheduler moves program and load about, which costs both";
}

/** User and system time of a whole process with all its threads, in ms. */
export function processCpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command's name, in brackets, may have spaces in it; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export function processRssBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Time that a core was not idle, in ms; shows when something else was at work on it. */
export function coreBusyMs(core) {
  const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(readFileSync("/proc/stat", "latin1"));
  const [user, nice, system, , , irq, softirq, steal] = line?.[1].split(" ").map(Number) ?? [];
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}

/** Output of a command, null when it cannot be run. */
export function output(command, args, options = {}) {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      ...options,
    }).trim();
  } catch {
    return null;
  }
}

function canRun(command, args) {
  return output(command, args) !== null;
}
