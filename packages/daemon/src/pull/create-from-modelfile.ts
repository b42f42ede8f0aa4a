/** A model made from a Modelfile: another model's weights with settings, an adapter and a licence of its own. */
import { access } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { parseModelfile, requestDefaults } from '@tollama/core/modelfile';
import { VERSION } from '@tollama/core/version';
import type { DaemonContext } from '../context.ts';
import { copyModel } from '../store/copy-model.ts';

export interface ModelfileRequest {
  readonly name: string;
  readonly text: string;
  /** Folder that relative paths start from. */
  readonly folder: string | undefined;
}

const adapterFolder = async (adapter: string, folder: string | undefined): Promise<string> => {
  const path = isAbsolute(adapter) ? adapter : join(folder ?? '.', adapter);
  const isThere = await access(join(path, 'adapter_config.json')).then(
    () => true,
    () => false,
  );
  if (isThere && isAbsolute(path)) return path;
  throw new TollamaError(
    'INVALID_INPUT',
    `ADAPTER ${adapter}: there is no adapter_config.json in ${path}`,
    {
      hint: 'give the folder of a LoRA adapter in PEFT format',
    },
  );
};

/** Major, minor, patch as numbers that compare. */
const versionNumber = (text: string): number =>
  text
    .split('.')
    .slice(0, 3)
    .reduce((sum, part) => sum * 1000 + (Number.parseInt(part, 10) || 0), 0);

/** Throws INVALID_INPUT for a Modelfile that cannot be read, MODEL_NOT_FOUND for a base that is not installed. */
export const createFromModelfile = async (
  { name, text, folder }: ModelfileRequest,
  { home, store }: DaemonContext,
): Promise<unknown> => {
  const file = parseModelfile(text);
  if (file.requires && versionNumber(file.requires) > versionNumber(VERSION)) {
    throw new TollamaError(
      'INVALID_INPUT',
      `the Modelfile requires tollama ${file.requires}, this is ${VERSION}`,
      { hint: 'update tollama' },
    );
  }
  const adapter = file.adapter && (await adapterFolder(file.adapter, folder));
  const base = await copyModel(file.from, name, home, store);
  await store.write({
    ...base,
    defaults: { ...base.defaults, ...requestDefaults(file.parameters) },
    adapter_path: adapter ?? base.adapter_path ?? null,
    modelfile: text,
    description: file.description ?? base.description ?? null,
    license: file.license ? { ...base.license, notice: file.license } : base.license,
  });
  const ignored =
    file.ignored.length > 0
      ? { warnings: file.ignored.map((word) => `${word} means nothing here`) }
      : {};
  return { status: 'success', model: name, family: base.family, from: file.from, ...ignored };
};
