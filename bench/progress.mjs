const beginMs = performance.now();

/** A line on stderr: stdout is for the figures. */
export function progress(text) {
  process.stderr.write(`[${((performance.now() - beginMs) / 1_000).toFixed(0).padStart(4)} s] ${text} …\n`);
}
