import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Activity, endWhenReplaced } from './activity.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;

test('a daemon whose program was taken away or replaced ends when nobody waits', async () => {
  for (const later of [undefined, 'another file']) {
    const activity = new Activity();
    const stop = vi.fn();
    let file: string | undefined = 'one file';
    await endWhenReplaced(activity, 'program', stop, async () => file);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(stop).not.toHaveBeenCalled();
    activity.begin();
    file = later;
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(stop).not.toHaveBeenCalled();
    activity.end();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(stop).toHaveBeenCalledTimes(1);
  }
});
