/** A hub of the Hugging Face kind on loopback, with faults on demand: for tests. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface HubFaults {
  /** Break the connection after that many bytes of a weight file, this many times. */
  breakAfter?: { bytes: number; times: number };
  /** Send that many bytes of a weight file, and the rest after `until`. */
  pauseAfter?: { bytes: number; until: Promise<void> };
  /** Send another byte at the end of weight files. */
  corrupt?: boolean;
  /** Answer with these statuses first. */
  statuses?: number[];
  /** Retry-After of those answers; 0 when absent. */
  retryAfter?: string;
  /** Weight files are told to be that many bytes longer (or shorter) than they are. */
  listedBytesMore?: number;
  /** Weight files are sent with that many bytes more, or fewer (with a true Content-Length). */
  sentBytesMore?: number;
  /** Weight files are sent whole whatever range is asked for. */
  ignoresRange?: boolean;
  /** From that request for a weight file on, its bytes are others. */
  changesAtRequest?: number;
  /** Requests that are taken and never answered. */
  silences?: number;
  /** The commit that it tells. */
  commit?: string;
  /** Only requests with this token are let in. */
  token?: string;
}

export interface FakeHub extends AsyncDisposable {
  readonly url: string;
  readonly faults: HubFaults;
  /** Method, path and Range of all requests so far. */
  readonly requests: { readonly path: string; readonly range: string | undefined }[];
}

/** Long enough for bytes on loopback to be read by a busy client. */
const DELIVERY_MS = 150;

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const gitHash = (data: Buffer): string =>
  createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');

const isWeights = (name: string): boolean => /\.(safetensors|ckpt)$/.test(name);

const listing = (files: ReadonlyMap<string, Buffer>, more: number, sha: string): unknown => ({
  sha,
  siblings: [...files].map(([rfilename, data]) => ({
    rfilename,
    size: data.length,
    blobId: gitHash(data),
    ...(isWeights(rfilename) && {
      lfs: { sha256: sha256(data), size: data.length + more, pointerSize: 134 },
    }),
  })),
});

/** What is sent of a file, by the request's Range and the faults. */
const bytesToSend = (
  request: IncomingMessage,
  data: Buffer,
  weightRequests: number,
  faults: HubFaults,
): { readonly start: number; readonly body: Buffer; readonly total: number } => {
  const { sentBytesMore = 0, ignoresRange, changesAtRequest } = faults;
  const whole =
    sentBytesMore > 0
      ? Buffer.concat([data, Buffer.alloc(sentBytesMore)])
      : data.subarray(0, data.length + sentBytesMore);
  const [, from, to] = /^bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
  const start = ignoresRange ? 0 : Number(from ?? 0);
  const end = ignoresRange || !to ? whole.length : Number(to) + 1;
  const body = Buffer.from(whole.subarray(start, end));
  if (faults.corrupt && body.length > 0) body[body.length - 1]! ^= 255;
  if (changesAtRequest !== undefined && weightRequests >= changesAtRequest)
    for (let i = 0; i < body.length; i++) body[i]! ^= 1;
  return { start, body, total: whole.length };
};

const sendFile = (
  request: IncomingMessage,
  response: ServerResponse,
  data: Buffer,
  weightRequests: number,
  faults: HubFaults,
): void => {
  const { start, body, total } = bytesToSend(request, data, weightRequests, faults);
  if (body.length === 0 && start > 0) {
    response.writeHead(416, { 'content-range': `bytes */${total}` }).end();
    return;
  }
  const isPart = request.headers.range !== undefined && !faults.ignoresRange;
  const hasChanged = weightRequests >= (faults.changesAtRequest ?? Number.POSITIVE_INFINITY);
  response.writeHead(isPart ? 206 : 200, {
    etag: hasChanged ? '"changed"' : '"first"',
    'content-length': body.length,
    ...(isPart && { 'content-range': `bytes ${start}-${start + body.length - 1}/${total}` }),
  });
  const { breakAfter, pauseAfter } = faults;
  if (breakAfter && breakAfter.times > 0) {
    breakAfter.times--;
    // An end, not a reset, and not at once: either would take back bytes that are on their way.
    response.write(body.subarray(0, breakAfter.bytes), () => {
      setTimeout(() => response.socket?.end(), DELIVERY_MS);
    });
  } else if (pauseAfter) {
    response.write(body.subarray(0, pauseAfter.bytes));
    void pauseAfter.until.then(() => response.end(body.subarray(pauseAfter.bytes)));
  } else {
    response.end(body);
  }
};

export interface FakeHubOptions {
  readonly repoId?: string;
  /** Key and certificate: the hub speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Files beside those of the folder. */
  readonly files?: Readonly<Record<string, Buffer>>;
}

/** Serves the files of a folder as the repository `owner/name`. */
export const startFakeHub = async (
  folder: string,
  { repoId = 'owner/name', tls, files: more = {} }: FakeHubOptions = {},
): Promise<FakeHub> => {
  const files = new Map<string, Buffer>(Object.entries(more));
  for (const name of await readdir(folder)) {
    if (name !== 'cases.json') files.set(name, await readFile(join(folder, name)));
  }
  const faults: HubFaults = {};
  const requests: { path: string; range: string | undefined }[] = [];
  let weightRequests = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): unknown => {
    const path = new URL(request.url!, 'http://hub').pathname;
    requests.push({ path, range: request.headers.range });
    const status = faults.statuses?.shift();
    if (faults.silences) return faults.silences--;
    if (status)
      return response.writeHead(status, { 'retry-after': faults.retryAfter ?? '0' }).end('{}');
    if (faults.token && request.headers.authorization !== `Bearer ${faults.token}`) {
      return response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end('{}');
    }
    if (path.startsWith(`/api/models/${repoId}/revision/`)) {
      const revision = path.split('/').at(-1);
      if (revision !== 'main' && revision !== COMMIT) return response.writeHead(404).end('{}');
      return response.end(
        JSON.stringify(listing(files, faults.listedBytesMore ?? 0, faults.commit ?? COMMIT)),
      );
    }
    const name = decodeURIComponent(path.split('/').at(-1)!);
    const data = path.startsWith(`/${repoId}/resolve/`) ? files.get(name) : undefined;
    if (!data) return response.writeHead(404).end('{}');
    if (!isWeights(name)) return sendFile(request, response, data, 0, {});
    return sendFile(request, response, data, ++weightRequests, faults);
  };
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
