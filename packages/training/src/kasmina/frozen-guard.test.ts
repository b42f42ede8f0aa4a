import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openWeightsFile, writeSafetensors } from '@tollama/graph';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { FrozenGuard } from './frozen-guard.ts';

test('a frozen tensor that changed by a bit is named', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'host.safetensors');
    const specs = new Map(
      ['a', 'b'].map((name) => [name, { dtype: 'float32' as const, shape: [4] }]),
    );
    await writeSafetensors(path, specs, () => new Float32Array(4));
    const guard = new FrozenGuard(await openWeightsFile(folder, 'host.safetensors'));
    expect(await guard.check()).toEqual([]);
    expect(await guard.check()).toEqual([]);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    expect(await guard.check()).toEqual(['b']);
  });
});
