/** Answers that come bit by bit: lines of JSON, and server-sent events. */

import { parseAnswer, readFailure } from './broken-answer.ts';

/** The body as lines without their ends. Leaving the loop early closes the connection. */
async function* readLines(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw readFailure(response.url, error);
      });
      if (done) break;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r?\n/);
      rest = lines.pop() ?? '';
      yield* lines;
    }
    rest += decoder.decode();
    if (rest) yield rest;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** One JSON value a line; empty lines are skipped. */
export async function* readJsonLines<T>(response: Response): AsyncGenerator<T> {
  for await (const line of readLines(response)) {
    if (line.trim()) yield parseAnswer(response.url, line) as T;
  }
}

export interface ServerEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Server-sent events whose data are JSON; comments and retry times are skipped. */
export async function* readServerEvents(response: Response): AsyncGenerator<ServerEvent> {
  let fields: { id?: string; event?: string; data?: string } = {};
  for await (const line of readLines(response)) {
    if (line === '') {
      const { id, event = 'message', data } = fields;
      fields = {};
      if (data !== undefined) {
        yield {
          ...(id !== undefined && { id }),
          event,
          data: parseAnswer(response.url, data) as never,
        };
      }
      continue;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (name === 'data')
      fields.data = fields.data === undefined ? value! : `${fields.data}\n${value}`;
    else if (name === 'id' || name === 'event') fields[name] = value!;
  }
}
