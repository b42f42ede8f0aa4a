import { expect, test } from 'vitest';
import { z } from 'zod';
import { readOptions } from './read-options.ts';
import { watchOptions } from './unread-options.ts';

test('an option that no schema knows was not read', () => {
  const { options, unread } = watchOptions({ num_samples: 20, num_sample: 40 });
  expect(unread()).toEqual(['num_samples', 'num_sample']);
  expect(readOptions(z.object({ num_samples: z.int() }), { options }, 'sundial')).toEqual({
    num_samples: 20,
  });
  expect(unread()).toEqual(['num_sample']);
});

test('a copy counts as reading all: nothing is told that is not sure', () => {
  const { options, unread } = watchOptions({ a: 1 });
  expect({ ...options }).toEqual({ a: 1 });
  expect(unread()).toEqual([]);
});
