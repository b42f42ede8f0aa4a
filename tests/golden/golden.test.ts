import { relative, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { passes } from './compare.ts';
import { ILL_CONDITIONED, SLACK } from './ill-conditioned.ts';
import { findSets, kindOf } from './run.ts';

const root = resolve(import.meta.dirname, '../../golden');

// Folders of families that are not built yet are counted by `npm run golden`, not here.
const sets = (await findSets(root)).filter((folder) => kindOf(folder));

for (const folder of sets) {
  const set = await kindOf(folder)!(folder);
  const label = relative(root, folder).replaceAll('\\', '/');
  describe(label, () => {
    afterAll(() => set[Symbol.asyncDispose]());
    test.each(set.cases)('$name', async ({ name, run }) => {
      const slack = ILL_CONDITIONED.has(`${label}/${name}`) ? SLACK : 1;
      const failed = (await run()).filter(
        ({ worst, ...rest }) => !passes({ ...rest, worst: worst / slack }),
      );
      expect(failed).toEqual([]);
    });
  });
}
