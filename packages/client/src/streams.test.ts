import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJsonLines, readServerEvents } from './streams.ts';

/** The text in pieces that end anywhere, within a character too. */
const inPieces = (text: string, cuts: readonly number[]): Response => {
  const bytes = new TextEncoder().encode(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  );
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      [0, ...places].forEach((start, i) => {
        controller.enqueue(bytes.slice(start, [...places, bytes.length][i]));
      });
      controller.close();
    },
  });
  return new Response(stream);
};

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const cuts = fc.array(fc.nat(), { maxLength: 8 });
const text = fc.string({ unit: 'grapheme' });

describe('however the bytes come', () => {
  test('lines of JSON are read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ text }), { maxLength: 5 }),
        cuts,
        async (values, at) => {
          const body = values.map((value) => `${JSON.stringify(value)}\n`).join('\n');
          expect(await collect(readJsonLines(inPieces(body, at)))).toEqual(values);
          expect(await collect(readJsonLines(inPieces(body.trimEnd(), at)))).toEqual(values);
        },
      ),
    );
  });

  test('server-sent events are read', async () => {
    const end = fc.constantFrom('\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 5 }), end, cuts, async (texts, eol, at) => {
        const lines = texts.flatMap((one, i) => [
          ': keepalive',
          `id: ${i}`,
          'event: told',
          `data: ${JSON.stringify({ one })}`,
          '',
        ]);
        const body = ['retry: 3000', '', ...lines, ''].join(eol);
        expect(await collect(readServerEvents(inPieces(body, at)))).toEqual(
          texts.map((one, i) => ({ id: String(i), event: 'told', data: { one } })),
        );
      }),
    );
  });
});

test('data of several lines are one value; an event without data is none', async () => {
  const body = 'event: empty\n\ndata:{"a":\ndata: 1}\n\ndata: {"cut":';
  expect(await collect(readServerEvents(new Response(body)))).toEqual([
    { event: 'message', data: { a: 1 } },
  ]);
});

test('leaving early closes the connection', async () => {
  let isClosed = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('{"a":1}\n')),
    cancel: () => {
      isClosed = true;
    },
  });
  for await (const line of readJsonLines(new Response(stream))) {
    expect(line).toEqual({ a: 1 });
    break;
  }
  expect(isClosed).toBe(true);
});
