import { relative, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { passes } from './compare.ts';
import { findSets, kindOf } from './run.ts';

const root = resolve(import.meta.dirname, '../../golden');

// Folders of families that are not built yet are counted by `npm run golden`, not here.
const sets = (await findSets(root)).filter((folder) => kindOf(folder));

for (const folder of sets) {
  const set = await kindOf(folder)!(folder);
  describe(relative(root, folder), () => {
    afterAll(() => set[Symbol.asyncDispose]());
    test.each(set.cases)('$name', async ({ run }) => {
      const failed = (await run()).filter((comparison) => !passes(comparison));
      expect(failed).toEqual([]);
    });
  });
}
