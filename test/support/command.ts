import { vi } from 'vitest';
import { runDelegation } from '../../src/commands/delegation.ts';
import { runDoctor } from '../../src/commands/doctor.ts';
import { errorWords } from '../../src/commands/error-words.ts';
import { runKeys } from '../../src/commands/keys.ts';
import { parseConfig, readEnv } from '../../src/platform/config.ts';

const commands = { delegation: runDelegation, doctor: runDoctor, keys: runKeys };

/** What a command printed, and the code with which it would have ended its process. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs `node src/main.ts NAME …` in this process, where nothing is to be started first. One at a time: it hears the console. */
export async function ranHere(
  name: keyof typeof commands,
  environment: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<Ran> {
  const lines: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const before = process.exitCode;
  try {
    process.exitCode = 0;
    await commands[name](parseConfig(readEnv(environment), name), [...args]);
    return { code: Number(process.exitCode), output: lines.join('\n') };
  } catch (error) {
    return { code: 1, output: [...lines, errorWords(error)].join('\n') };
  } finally {
    process.exitCode = before;
    print.mockRestore();
  }
}
