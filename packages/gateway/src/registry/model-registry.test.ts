import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestGateway } from '../testing/test-gateway.ts';
import { LICENCE_REGISTRY, readRegistry } from './model-registry.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-'));
});
afterAll(() => rm(folder, { recursive: true }));

const FILE = `
models:
  fast: {model_name: chronos-bolt-small, model_version: v1, license_tag: commercial_ok}
  lab: {model_name: moirai-2.0-R-small, license_tag: research_only}
environments:
  prod: {allowed_models: [fast]}
  dev: [fast, lab]
`;

test('aliases, lists and licences decide by environment', async () => {
  const path = join(folder, 'models.yaml');
  await writeFile(path, FILE);
  const registry = await readRegistry(path);
  expect(registry.check('fast', 'prod')).toEqual({
    isAllowed: true,
    model: 'chronos-bolt-small',
    version: 'v1',
  });
  expect(registry.check('moirai-2.0-R-small', 'dev')).toMatchObject({ isAllowed: true });
  expect(registry.check('lab', 'prod')).toEqual({
    isAllowed: false,
    refusal: 'license_not_allowed',
  });
  expect(registry.check('other', 'dev')).toEqual({
    isAllowed: false,
    refusal: 'model_not_registered',
  });
});

test('a research model in prod is refused when the file is read', async () => {
  const path = join(folder, 'barred.yaml');
  await writeFile(path, FILE.replace('[fast]', '[fast, lab]'));
  await expect(readRegistry(path)).rejects.toThrow("environment prod allows 'lab'");
  await writeFile(path, 'models: 3');
  await expect(readRegistry(path)).rejects.toThrow('barred.yaml cannot be used');
});

test('without a file the licences that tollama knows hold in prod', () => {
  expect(LICENCE_REGISTRY.check('moirai-2.0-R-small', 'prod').isAllowed).toBe(false);
  expect(LICENCE_REGISTRY.check('moirai-2.0-R-small', 'dev').isAllowed).toBe(true);
  expect(LICENCE_REGISTRY.check('anything', 'prod').isAllowed).toBe(true);
});

test('at run time a model that is not allowed gets a baseline with the reason, or a refusal', async () => {
  const model = { model_name: 'moirai-2.0-R-small' };
  await using prod = await openTestGateway({ environment: 'prod' });
  const { meta } = await prod.answer({ model });
  expect(meta).toMatchObject({
    runtime: 'baseline',
    fallback_reason: 'license_not_allowed',
    failure_code: 'MODEL_NOT_ALLOWED',
    model_name: 'moirai-2.0-R-small',
  });
  expect(prod.upstream.asked).toHaveLength(0);
  await using strict = await openTestGateway({
    environment: 'prod',
    tsfm: { registry: { on_violation: 'refuse' } },
  });
  const { status, body } = await strict.ask({ model });
  expect([status, body.failure_code]).toEqual([400, 'MODEL_NOT_ALLOWED']);
});
