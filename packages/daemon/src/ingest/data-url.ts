/** Where the data of a request lie: a file of this machine, or an address where that is allowed. */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { LIMITS } from '@tollama/core/limits';
import type { DaemonContext } from '../context.ts';
import type { TableSource } from './read-table.ts';

const REMOTE_TIMEOUT_MS = 30_000;

const LOOPBACK = /^(?:127\.|localhost$|::1$)/;

const refuse = (message: string, hint: string, cause?: unknown): never => {
  throw new TollamaError('INVALID_REQUEST', message, { hint, cause });
};

/** Chunks of a body up to a size. */
const limited = async function* (
  url: string,
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) {
      refuse(
        `data_url '${url}' holds more than ${Math.round(maxBytes / 1024 / 1024)} MB`,
        'raise TOLLAMA_MAX_REQUEST_BODY_MB, or read the file from this machine',
      );
    }
    yield chunk;
  }
};

const fetchRemote = async (
  url: URL,
  { settings }: Pick<DaemonContext, 'settings'>,
  signal: AbortSignal,
): Promise<TableSource> => {
  if (!settings.allowRemoteDataUrl) {
    return refuse(
      `data_url '${url.href}' is an address of the network, which is not allowed`,
      'give a path of the machine that the daemon runs on, or start it with TOLLAMA_ALLOW_REMOTE_DATA_URL=1',
    );
  }
  const either = AbortSignal.any([signal, AbortSignal.timeout(REMOTE_TIMEOUT_MS)]);
  const response = await fetch(url, { signal: either }).catch((error: unknown) =>
    refuse(
      `data_url '${url.href}' cannot be reached: ${errorMessage(error)}`,
      'check the address',
      error,
    ),
  );
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    return refuse(`data_url '${url.href}' answered ${response.status}`, 'check the address');
  }
  const content = limited(url.href, response.body, settings.maxBodyBytes);
  return { path: decodeURIComponent(url.pathname.split('/').at(-1) || 'data'), content };
};

/** Everybody who reaches the daemon could read its files, if neither the address nor a key kept them out. */
const checkMayReadFiles = async ({
  settings,
  config,
}: Pick<DaemonContext, 'settings' | 'config'>): Promise<void> => {
  if (LOOPBACK.test(settings.host) || (await config.apiKeys()).length > 0) return;
  refuse(
    `data_url reads files of the daemon's machine, which is not allowed on ${settings.host} without API keys`,
    'set auth.api_keys in config.json, or send the data with /api/forecast/upload',
  );
};

/** Ordinary files only: a pipe or a device may never end. What is missing is told by the reader. */
const openLocal = async (path: string): Promise<TableSource> => {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile() && !found.isDirectory()) {
    refuse(`data_url '${path}' is not an ordinary file`, 'give the path of a file');
  }
  if (found && found.size > LIMITS.tableBytes) {
    refuse(
      `data_url '${path}' holds more than ${LIMITS.tableBytes / 1024 / 1024} MB`,
      'split it, or leave columns out that are not needed',
    );
  }
  return { path };
};

const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * @throws TollamaError INVALID_REQUEST for an address that is not allowed or not understood
 */
export const openDataUrl = async (
  dataUrl: string,
  context: Pick<DaemonContext, 'settings' | 'config'>,
  signal: AbortSignal,
): Promise<TableSource> => {
  const scheme = SCHEME.exec(dataUrl)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') {
    if (!URL.canParse(dataUrl)) {
      refuse(`data_url '${dataUrl}' is not an address`, 'write it as https://host/path');
    }
    return fetchRemote(new URL(dataUrl), context, signal);
  }
  // A drive letter of Windows is one letter; a scheme has more.
  if (scheme !== undefined && scheme !== 'file' && dataUrl.includes('://')) {
    refuse(`data_url has the scheme '${scheme}'`, 'give a path, file:// or https://');
  }
  await checkMayReadFiles(context);
  if (scheme !== 'file') return openLocal(dataUrl);
  let path: string;
  try {
    path = fileURLToPath(dataUrl);
  } catch (error) {
    return refuse(
      `data_url '${dataUrl}' is not a file of this machine: ${errorMessage(error)}`,
      'write it as file:///folder/file.csv',
      error,
    );
  }
  return openLocal(path);
};
