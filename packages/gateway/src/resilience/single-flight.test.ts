import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { SingleFlight } from './single-flight.ts';

property.prop([fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 40 })])(
  'one piece of work for each key in flight; all who ask get its result',
  async (keys) => {
    const flights = new SingleFlight<number>();
    const started: string[] = [];
    const ends = new Map<string, (value: number) => void>();
    const results = keys.map((key) =>
      flights.run(key, () => {
        started.push(key);
        return new Promise((resolve) => ends.set(key, resolve));
      }),
    );
    expect(started).toEqual([...new Set(keys)]);
    for (const [i, end] of [...ends.values()].entries()) end(i);
    const values = await Promise.all(results);
    for (const [i, key] of keys.entries()) expect(values[i]).toBe(values[keys.indexOf(key)]);
    expect(flights.size).toBe(0);
  },
);

test('a failure is shared too, and not kept', async () => {
  const flights = new SingleFlight<number>();
  const fail = (): Promise<number> => Promise.reject(new Error('down'));
  const both = await Promise.allSettled([flights.run('a', fail), flights.run('a', fail)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await flights.run('a', async () => 1)).toBe(1);
});
