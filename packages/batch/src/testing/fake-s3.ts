/** An S3 server for tests that checks signatures by the rules of Signature Version 4, and can be made to fail. */
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface FakeS3Options {
  /** Keys and contents of the one bucket, `panels`. */
  readonly objects: Readonly<Record<string, Uint8Array>>;
  /** Undefined: anybody may read. */
  readonly keys?: { readonly id: string; readonly secret: string; readonly token?: string };
  readonly region?: string;
  readonly keysPerPage?: number;
  /** What happens to a request for an object instead, by its count from 1. */
  readonly trouble?: (count: number) => 'stall' | 'truncate' | 'busy' | 'garble' | undefined;
}

export interface FakeS3 extends AsyncDisposable {
  readonly endpoint: string;
  /** Method and path of all requests so far, with the range. */
  readonly requests: readonly string[];
}

const BUCKET = 'panels';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** The signature that the request should have. */
const signatureOf = (request: IncomingMessage, secret: string, scope: string): string => {
  const signed = /SignedHeaders=([^,]+)/.exec(request.headers.authorization!)![1]!;
  const [path = '', query = ''] = request.url!.split('?');
  const canonical = [
    request.method,
    path,
    query.split('&').toSorted().join('&'),
    ...signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    signed,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const date = String(request.headers['x-amz-date']);
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex');
};

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly extra?: string;
}

/** Why a request is not let in. */
const refusalOf = (request: IncomingMessage, options: FakeS3Options): Refusal | undefined => {
  const { keys, region = 'us-east-1' } = options;
  if (!keys) return undefined;
  const { authorization } = request.headers;
  if (!authorization) return { status: 403, code: 'AccessDenied' };
  const [, id = '', scope = ''] = /Credential=([^/]+)\/([^,]+)/.exec(authorization) ?? [];
  if (id !== keys.id) return { status: 403, code: 'InvalidAccessKeyId' };
  if (!scope.endsWith(`/${region}/s3/aws4_request`)) {
    const extra = `<Region>${region}</Region>`;
    return { status: 400, code: 'AuthorizationHeaderMalformed', extra };
  }
  if (keys.token !== undefined && request.headers['x-amz-security-token'] !== keys.token) {
    return { status: 400, code: 'InvalidToken' };
  }
  const signature = /Signature=([\da-f]+)/.exec(authorization)?.[1];
  return signature === signatureOf(request, keys.secret, scope)
    ? undefined
    : { status: 403, code: 'SignatureDoesNotMatch' };
};

const refuse = (response: ServerResponse, { status, code, extra = '' }: Refusal): void => {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code>${extra}</Error>`);
};

const list = (response: ServerResponse, query: URLSearchParams, options: FakeS3Options): void => {
  const { objects, keysPerPage = 1000 } = options;
  const prefix = query.get('prefix') ?? '';
  const keys = Object.keys(objects)
    .toSorted()
    .filter((key) => key.startsWith(prefix));
  const from = Number(query.get('continuation-token') ?? 0);
  const end = from + keysPerPage;
  const contents = keys.slice(from, end).map((key) => {
    const bytes = objects[key]!;
    return `<Contents><Key>${encodeURIComponent(key)}</Key><ETag>&quot;${md5(bytes)}&quot;</ETag><Size>${bytes.length}</Size></Contents>`;
  });
  const isCut = end < keys.length;
  const next = isCut ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
  response.end(
    `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isCut}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
  );
};

const send = (
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, trouble }: { readonly bytes: Uint8Array; readonly trouble: string | undefined },
): void => {
  if (trouble === 'busy') {
    refuse(response, { status: 503, code: 'SlowDown' });
    return;
  }
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const rest = Buffer.from(bytes.subarray(from));
  if (trouble === 'garble') rest.fill(0);
  response.writeHead(request.headers.range ? 206 : 200, { 'content-length': rest.length });
  if (trouble === undefined || trouble === 'garble') {
    response.end(rest);
    return;
  }
  response.write(rest.subarray(0, Math.floor(rest.length / 2)), () => {
    if (trouble === 'truncate') response.socket?.end();
  });
};

export const startFakeS3 = async (options: FakeS3Options): Promise<FakeS3> => {
  const requests: string[] = [];
  let opened = 0;
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    const refusal = refusalOf(request, options);
    if (refusal) return refuse(response, refusal);
    const { pathname, searchParams } = new URL(request.url!, 'http://s3');
    const [, bucket = '', ...rest] = pathname.split('/').map(decodeURIComponent);
    if (bucket !== BUCKET) return refuse(response, { status: 404, code: 'NoSuchBucket' });
    const key = rest.join('/');
    if (key === '') return list(response, searchParams, options);
    const bytes = options.objects[key];
    if (!bytes) return refuse(response, { status: 404, code: 'NoSuchKey' });
    send(request, response, { bytes, trouble: options.trouble?.(++opened) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
};
