/** The prompt of `tollama run --interactive`: reads orders, carries them out, and goes on after an error. */
import { createInterface, type Interface } from 'node:readline';
import type { TollamaClient } from '@tollama/client';
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import { printError } from '../terminal/errors.ts';
import { Interrupt } from '../terminal/interrupt.ts';
import { createProgress } from '../terminal/progress.ts';
import { type Desk, wordsOf } from './desk.ts';
import { ORDERS } from './orders.ts';

export interface PromptOptions {
  readonly client: TollamaClient;
  readonly acceptLicense: boolean;
  /** Loaded before the first order. */
  readonly file: string | undefined;
  readonly desk: Desk;
}

const QUIT: ReadonlySet<string> = new Set(['quit', 'exit', 'bye', 'q']);

/** Names of orders that go on as it began. */
const complete = (line: string): [string[], string] => {
  const start = line.replace(/^\//, '');
  const found = [...Object.keys(ORDERS), 'quit'].filter((name) => name.startsWith(start));
  return [start.includes(' ') ? [] : found.map((name) => `${name} `), start];
};

const orderOf = (word: string) => {
  const name = word.replace(/^\//, '');
  if (Object.hasOwn(ORDERS, name)) return ORDERS[name]!;
  const near = didYouMean(name, Object.keys(ORDERS));
  throw new TollamaError('INVALID_REQUEST', `'${name}' means nothing here`, {
    hint: near ? `did you mean '${near}'?` : 'type: help',
  });
};

/** Carries out one line. Errors are told, and the desk stays as it was. */
const obey = async (
  line: string,
  desk: Desk,
  { client, acceptLicense }: PromptOptions,
  signal: AbortSignal,
): Promise<Desk> => {
  const [word, ...rest] = wordsOf(line);
  if (word === undefined) return desk;
  const progress = createProgress('auto');
  try {
    const ask = { client, progress, signal, acceptLicense, printsPull: false };
    return await orderOf(word).run(rest, desk, ask);
  } catch (error) {
    progress.stop();
    printError(error);
    return desk;
  } finally {
    progress.stop();
  }
};

const isQuit = (line: string): boolean => QUIT.has(line.trim().replace(/^\//, ''));

/** Lines as they are typed; Ctrl-C at work stops the work, at the prompt it ends the session. */
const converse = async (lines: Interface, options: PromptOptions): Promise<void> => {
  let desk = options.desk;
  let work: AbortController | undefined;
  const carryOut = async (line: string): Promise<void> => {
    work = new AbortController();
    desk = await obey(line, desk, options, work.signal);
    work = undefined;
  };
  lines.on('SIGINT', () => {
    if (work) work.abort(new Interrupt('interrupted'));
    else lines.close();
  });
  let isOpen = true;
  lines.once('close', () => {
    isOpen = false;
  });
  const prompt = (): void => {
    if (isOpen) lines.prompt();
  };
  // Listens from here on, so that lines that come while the file is read are not lost.
  const typed = lines[Symbol.asyncIterator]();
  if (options.file !== undefined) await carryOut(`load "${options.file}"`);
  prompt();
  for await (const line of typed) {
    if (isQuit(line)) break;
    await carryOut(line);
    prompt();
  }
};

/** Runs until `quit`, the end of stdin, or Ctrl-C at the prompt. */
export const openPrompt = async (options: PromptOptions): Promise<void> => {
  const isTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: isTerminal,
    prompt: isTerminal ? 'tollama> ' : '',
    completer: complete,
  });
  if (isTerminal) console.log('help lists what can be asked, quit ends the session.');
  try {
    await converse(lines, options);
  } finally {
    lines.close();
  }
};
