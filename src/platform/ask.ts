import { createInterface } from "node:readline/promises";

/** Asks the person at the terminal; null when there is none. The question goes to standard error: the output stays clean. */
export async function askAtTerminal(question: string): Promise<string | null> {
  if (!process.stdin.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
