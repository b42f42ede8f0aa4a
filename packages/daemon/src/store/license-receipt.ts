/** Receipts of accepted licences: written when a licence is accepted, looked at before each run. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import type { Manifest } from '@tollama/core/manifest';
import { modelFolderName } from '@tollama/core/model-name';
import { z } from 'zod';
import type { Home } from './home.ts';
import { writeJson } from './write-file.ts';

const Receipt = z.object({
  model: z.string(),
  license: z.string(),
  notice: z.string().nullable(),
  accepted_at: z.string(),
  source: z.string(),
});

const pathOf = (home: Home, name: string): string =>
  join(home.licenses, `${modelFolderName(name)}.json`);

/** Notes that the user accepted the licence of this model as it came from there. */
export const writeReceipt = async (home: Home, manifest: Manifest): Promise<void> => {
  const { name, license, source } = manifest;
  if (!license.needs_acceptance || !license.accepted) return;
  await writeJson(pathOf(home, name), {
    model: name,
    license: license.type,
    notice: license.notice ?? null,
    accepted_at: license.accepted_at,
    source: `${source.repo_id}@${source.revision}`,
  });
};

export const removeReceipt = (home: Home, name: string): Promise<void> =>
  rm(pathOf(home, name), { force: true });

/** Throws LICENSE_REQUIRED when a model whose licence needs acceptance has no receipt for that licence. */
export const checkReceipt = async (home: Home, manifest: Manifest): Promise<void> => {
  const { name, license } = manifest;
  if (!license.needs_acceptance) return;
  const text = await readFile(pathOf(home, name), 'utf8').catch(() => undefined);
  const receipt = Receipt.safeParse(text === undefined ? undefined : safeJson(text));
  if (license.accepted && receipt.success && receipt.data.license === license.type) return;
  throw new TollamaError(
    'LICENSE_REQUIRED',
    `model '${name}' requires license acceptance; there is no receipt of it`,
    {
      hint: `tollama pull ${name} --accept-license`,
    },
  );
};

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
