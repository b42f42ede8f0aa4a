import { expect, test } from 'vitest';
import { SharedWork } from './shared-work.ts';

/** Work that ends when it is told to, or with its signal. */
const counted = () => {
  let runs = 0;
  const end = Promise.withResolvers<string>();
  const started = Promise.withResolvers<(event: string) => void>();
  const work = (emit: (event: string) => void, signal: AbortSignal): Promise<string> => {
    runs++;
    started.resolve(emit);
    signal.addEventListener('abort', () => end.reject(signal.reason));
    return end.promise;
  };
  return { work, runs: () => runs, end: end.resolve, started: started.promise };
};

const listener = () => {
  const heard: string[] = [];
  return { heard, emit: (event: string) => void heard.push(event) };
};

test('who asks for the same joins, hears the latest event, and gets the result', async () => {
  const shared = new SharedWork<string, string>();
  const { work, runs, end, started } = counted();
  const [a, b] = [listener(), listener()];
  const first = shared.run('x', a, work);
  const emit = await started;
  emit('1');
  emit('2');
  const second = shared.run('x', b, work);
  emit('3');
  end('done');
  expect(await Promise.all([first, second])).toEqual(['done', 'done']);
  expect([a.heard, b.heard, runs()]).toEqual([['1', '2', '3'], ['2', '3'], 1]);
  expect(await shared.run('x', a, async () => 'again')).toBe('again');
});

test('who goes away leaves the work to the others', async () => {
  const shared = new SharedWork<string, string>();
  const { work, end, started } = counted();
  const leaving = new AbortController();
  const first = shared.run('x', { ...listener(), signal: leaving.signal }, work);
  const second = shared.run('x', listener(), work);
  await started;
  leaving.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  end('done');
  expect(await second).toBe('done');
});

test('with the last one the work is stopped', async () => {
  const shared = new SharedWork<string, string>();
  const { work, started } = counted();
  const leaving = new AbortController();
  const only = shared.run('x', { ...listener(), signal: leaving.signal }, work);
  await started;
  leaving.abort(new Error('gone'));
  await expect(only).rejects.toThrow('gone');
  expect(await shared.run('x', listener(), async () => 'anew')).toBe('anew');
});
