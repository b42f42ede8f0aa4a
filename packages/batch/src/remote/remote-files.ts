/** Which objects remote inputs are, before a byte of them is fetched. */
import type { IncomingMessage } from 'node:http';
import { TollamaError } from '@tollama/core/errors';
import { fixedPrefix, isPattern, keyMatcher } from './object-pattern.ts';
import { PATIENCE, type Patience } from './patience.ts';
import { type Environment, readS3Account } from './s3-account.ts';
import { createS3Client, type S3Client } from './s3-client.ts';
import { bodyText, isPassingStatus, openFollowing, trying } from './transfer.ts';

export interface RemoteFile {
  /** As users see it. */
  readonly address: string;
  /** Path below its bucket or host. */
  readonly path: string;
  /** Undefined where the server does not tell beforehand. */
  readonly sizeBytes: number | undefined;
  /** Equal for equal bytes: address, version and size. */
  readonly identity: string;
  /** MD5 of the bytes, where the server's tag is one. */
  readonly md5: string | undefined;
  /** The bytes from an offset on. */
  readonly open: (from: number) => Promise<IncomingMessage>;
}

export interface RemoteOptions {
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly patience?: Patience | undefined;
}

const SCHEME = /^([a-z][a-z\d+.-]*):\/\//i;
const MD5 = /^[\da-f]{32}$/;

const schemeOf = (input: string): string | undefined => SCHEME.exec(input)?.[1]?.toLowerCase();

/** Whether an input is an address; paths and globs are none. */
export const isRemote = (input: string): boolean => schemeOf(input) !== undefined;

/** An input as it may be shown: what follows the path of an address is often a signature, which is nobody's business. */
export const shownInput = (input: string): string =>
  HTTP.has(schemeOf(input) ?? '') ? input.replace(/[?#].*$/s, '') : input;

const S3: ReadonlySet<string> = new Set(['s3', 's3a', 's3n']);
const HTTP: ReadonlySet<string> = new Set(['http', 'https']);

const OTHERS: Readonly<Record<string, string>> = {
  gs: 'use s3:// with AWS_ENDPOINT_URL=https://storage.googleapis.com and an HMAC key',
  gcs: 'use s3:// with AWS_ENDPOINT_URL=https://storage.googleapis.com and an HMAC key',
  r2: 'use s3:// with AWS_ENDPOINT_URL=https://ACCOUNT.r2.cloudflarestorage.com',
  hf: 'use the https:// address of the file (https://huggingface.co/datasets/.../resolve/main/...)',
};

const filesOfBucket = async (client: S3Client, input: string): Promise<RemoteFile[]> => {
  const [, bucket = '', pattern = ''] = /^[^:]+:\/\/([^/]*)\/?([\s\S]*)$/.exec(input) ?? [];
  if (bucket === '' || pattern === '') {
    throw new TollamaError('INVALID_REQUEST', `${input} names no object`, {
      hint: 'use the form s3://bucket/folder/*.parquet',
    });
  }
  // What ends with a slash is a folder: all that lies below it, but for the marks that tools leave.
  const matches = keyMatcher(pattern.endsWith('/') ? `${pattern}**/[^_.]*` : pattern);
  const files: RemoteFile[] = [];
  for await (const object of client.list(bucket, fixedPrefix(pattern))) {
    const { key, sizeBytes, etag } = object;
    if (!matches(key) || key.endsWith('/')) continue;
    const address = `s3://${bucket}/${key}`;
    if (key.split('/').some((part) => part === '.' || part === '..')) {
      throw new TollamaError('INVALID_INPUT', `${address} cannot be asked for over HTTP`, {
        hint: "copy it to a key without '.' and '..'",
      });
    }
    files.push({
      ...{ address, path: key, sizeBytes },
      identity: `${address}:${etag}:${sizeBytes}`,
      md5: MD5.test(etag) ? etag : undefined,
      open: (from) => client.open(bucket, object, from),
    });
  }
  if (files.length === 0) {
    throw new TollamaError('NOT_FOUND', `${input}: no object matches`, {
      hint: isPattern(pattern)
        ? "'*' stops at a slash, '**' goes on; keys are upper and lower case"
        : 'check the key; patterns such as s3://bucket/folder/*.parquet take several',
    });
  }
  return files;
};

const refuseStatus = (url: string, status: number): never => {
  throw new TollamaError(
    status === 404 || status === 410
      ? 'NOT_FOUND'
      : status === 401 || status === 403
        ? 'UNAUTHORIZED'
        : 'INVALID_INPUT',
    `${url}: the server answers ${status}`,
    { hint: 'check the address; one that was signed may be over' },
  );
};

const headerOf = (answer: IncomingMessage, name: 'etag' | 'last-modified'): string =>
  (answer.headers[name] ?? '').replace(/^W\//, '').replaceAll('"', '');

/** A GET of the first byte: addresses that were signed for GET refuse HEAD. */
const fileAt = async (
  url: string,
  { signal, patience = PATIENCE }: RemoteOptions,
): Promise<RemoteFile> => {
  const address = shownInput(url);
  const ask = async (range: string | undefined, etag?: string): Promise<IncomingMessage> => {
    const headers = { ...(range && { range }), ...(etag && range && { 'if-range': etag }) };
    const answer = await openFollowing({ url, headers }, patience, signal);
    const status = answer.statusCode!;
    if (status === 200 || status === 206) return answer;
    // An empty file has no first byte.
    if (status === 416) return answer;
    await bodyText(answer);
    if (isPassingStatus(status)) throw new Error(`the server answers ${status}`);
    return refuseStatus(address, status);
  };
  const probe = await trying(address, () => ask('bytes=0-0'), { patience, signal });
  probe.destroy();
  const whole =
    /\/(\d+)$/.exec(probe.headers['content-range'] ?? '')?.[1] ??
    (probe.statusCode === 200 ? probe.headers['content-length'] : undefined);
  const sizeBytes = whole === undefined ? undefined : Number(whole);
  const version = headerOf(probe, 'etag') || headerOf(probe, 'last-modified');
  const etag = probe.headers.etag;
  return {
    ...{ address, path: new URL(url).pathname, sizeBytes, md5: undefined },
    identity: `${address}:${version}:${sizeBytes ?? ''}`,
    open: (from) => ask(from > 0 ? `bytes=${from}-` : undefined, etag),
  };
};

/**
 * The objects behind remote inputs, ascending by key within each.
 *
 * @throws TollamaError NOT_FOUND when nothing matches, UNAUTHORIZED, PULL_FAILED after several tries
 */
export const findRemoteFiles = async (
  inputs: readonly string[],
  options: RemoteOptions,
): Promise<RemoteFile[]> => {
  const { env, signal, patience = PATIENCE } = options;
  const files: RemoteFile[] = [];
  let client: S3Client | undefined;
  for (const input of inputs) {
    const scheme = schemeOf(input) ?? '';
    if (S3.has(scheme)) {
      client ??= createS3Client({ account: await readS3Account(env), patience, signal });
      files.push(...(await filesOfBucket(client, input)));
    } else if (HTTP.has(scheme)) files.push(await fileAt(input, options));
    else {
      throw new TollamaError('INVALID_REQUEST', `${input}: ${scheme}:// is not read`, {
        hint: OTHERS[scheme] ?? 'use s3://, https:// or files of this machine',
      });
    }
  }
  return files;
};
