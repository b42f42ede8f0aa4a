/** What may be wrong, looked at one by one: each check says what it found and what to do. */
import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import * as zlib from 'node:zlib';
import type { TollamaClient } from '@tollama/client';
import { ConfigFile } from '@tollama/core/config';
import { errorMessage } from '@tollama/core/errors';
import { readSettings } from '@tollama/core/settings';
import { VERSION } from '@tollama/core/version';
import { configPath, readConfigFile } from '../config/config-file.ts';
import { humanBytes } from '../terminal/human.ts';
import { runtimeState } from './runtime.ts';

export interface Check {
  readonly name: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly message: string;
}

const check = (name: string, status: Check['status'], message: string): Check => ({
  name,
  status,
  message,
});

const MIN_FREE_BYTES = 1e9;

const node = (): Check => {
  const { node: version } = process.versions;
  const [major, minor] = version.split('.').map(Number) as [number, number];
  if (major < 20 || (major === 20 && minor < 19)) {
    return check('node', 'fail', `Node ${version} is too old; install 20.19 or newer`);
  }
  const lacks = [
    ...(isBuiltin('node:sqlite') ? [] : ['SQLite (usage by key, journals of jobs and batches)']),
    ...('zstdCompress' in zlib ? [] : ['zstd']),
  ];
  return lacks.length === 0
    ? check('node', 'pass', `Node ${version}`)
    : check('node', 'warn', `Node ${version} has no ${lacks.join(' and no ')}; a newer one has`);
};

const home = async (): Promise<Check> => {
  const { home: path } = readSettings(process.env);
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    const { bavail, bsize } = await statfs(path);
    const free = bavail * bsize;
    return free < MIN_FREE_BYTES
      ? check('disk', 'warn', `only ${humanBytes(free)} free at ${path}; large models will not fit`)
      : check('disk', 'pass', `${path} is writable, ${humanBytes(free)} free`);
  } catch (error) {
    return check(
      'disk',
      'fail',
      `${path} is not writable: ${errorMessage(error)}; set TOLLAMA_HOME to another folder`,
    );
  }
};

const config = async (): Promise<Check> => {
  const path = configPath();
  try {
    const found = await readConfigFile(path);
    if (!found) return check('config', 'pass', 'no config.json; the defaults hold');
    const parsed = ConfigFile.safeParse(found);
    if (parsed.success) return check('config', 'pass', `${path} is valid`);
    const [issue] = parsed.error.issues;
    return check(
      'config',
      'fail',
      `${path}: ${issue!.path.join('.') || 'file'}: ${issue!.message}`,
    );
  } catch (error) {
    return check('config', 'fail', errorMessage(error));
  }
};

const runtime = async (): Promise<Check> => {
  const { isUsable, message } = await runtimeState();
  return check('runtime', isUsable ? 'pass' : 'fail', message);
};

const daemon = async (client: TollamaClient): Promise<Check> => {
  try {
    const version = await client.version();
    return version === VERSION
      ? check('daemon', 'pass', `${version} answers at ${client.baseUrl}`)
      : check(
          'daemon',
          'warn',
          `the daemon at ${client.baseUrl} is ${version}, this command is ${VERSION}; restart it`,
        );
  } catch {
    return check(
      'daemon',
      'warn',
      `none answers at ${client.baseUrl}; \`tollama run\` starts one, \`tollama serve\` too`,
    );
  }
};

const token = (): Check => {
  const { hubToken } = readSettings(process.env);
  return hubToken
    ? check('hub token', 'pass', 'a token is set; gated models can be pulled')
    : check(
        'hub token',
        'pass',
        'no token; only needed for gated and private models (TOLLAMA_HF_TOKEN)',
      );
};

export const runChecks = async (client: TollamaClient): Promise<readonly Check[]> => [
  node(),
  await home(),
  await config(),
  await runtime(),
  token(),
  await daemon(client),
];
