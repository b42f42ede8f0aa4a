/** config.json of the state folder, read and written by the command line. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigFile } from '@tollama/core/config';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { readSettings } from '@tollama/core/settings';

export const configPath = (): string => join(readSettings(process.env).home, 'config.json');

/** The file as it is, or undefined when there is none. Throws CONFIG_INVALID when it is not JSON. */
export const readConfigFile = async (
  path: string,
): Promise<Record<string, unknown> | undefined> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new TollamaError('CONFIG_INVALID', `${path} is not JSON: ${errorMessage(cause)}`, {
      hint: 'correct it by hand, or start over with `tollama config init --force`',
      cause,
    });
  }
};

/** Checks the whole and writes it beside its place before it takes it. */
export const writeConfigFile = async (
  path: string,
  config: Record<string, unknown>,
): Promise<void> => {
  const checked = ConfigFile.safeParse(config);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new TollamaError('INVALID_REQUEST', `${issue!.path.join('.')}: ${issue!.message}`, {
      hint: '`tollama config keys` tells what each key takes',
    });
  }
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(partial, `${JSON.stringify({ version: 1, ...config }, null, 2)}\n`);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};
