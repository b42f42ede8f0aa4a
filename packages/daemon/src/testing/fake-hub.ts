/** A hub of the Hugging Face kind on loopback, with faults on demand: for tests. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
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

const listing = (files: ReadonlyMap<string, Buffer>): unknown => ({
  sha: COMMIT,
  siblings: [...files].map(([rfilename, data]) => ({
    rfilename,
    size: data.length,
    blobId: gitHash(data),
    ...(isWeights(rfilename) && {
      lfs: { sha256: sha256(data), size: data.length, pointerSize: 134 },
    }),
  })),
});

const sendFile = (
  request: IncomingMessage,
  response: ServerResponse,
  data: Buffer,
  name: string,
  faults: HubFaults,
): void => {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const body = Buffer.from(data.subarray(start));
  if (faults.corrupt && isWeights(name) && body.length > 0) body[body.length - 1]! ^= 255;
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': body.length,
    ...(start > 0 && { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` }),
  });
  const { breakAfter, pauseAfter } = faults;
  if (breakAfter && breakAfter.times > 0 && isWeights(name)) {
    breakAfter.times--;
    // An end, not a reset, and not at once: either would take back bytes that are on their way.
    response.write(body.subarray(0, breakAfter.bytes), () => {
      setTimeout(() => response.socket?.end(), DELIVERY_MS);
    });
  } else if (pauseAfter && isWeights(name)) {
    response.write(body.subarray(0, pauseAfter.bytes));
    void pauseAfter.until.then(() => response.end(body.subarray(pauseAfter.bytes)));
  } else {
    response.end(body);
  }
};

/** Serves the files of a folder as the repository `owner/name`. */
export const startFakeHub = async (folder: string, repoId = 'owner/name'): Promise<FakeHub> => {
  const files = new Map<string, Buffer>();
  for (const name of await readdir(folder)) {
    if (name !== 'cases.json') files.set(name, await readFile(join(folder, name)));
  }
  const faults: HubFaults = {};
  const requests: { path: string; range: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://hub').pathname;
    requests.push({ path, range: request.headers.range });
    const status = faults.statuses?.shift();
    if (status) return response.writeHead(status, { 'retry-after': '0' }).end('{}');
    if (faults.token && request.headers.authorization !== `Bearer ${faults.token}`) {
      return response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end('{}');
    }
    if (path.startsWith(`/api/models/${repoId}/revision/`)) {
      const revision = path.split('/').at(-1);
      if (revision !== 'main' && revision !== COMMIT) return response.writeHead(404).end('{}');
      return response.end(JSON.stringify(listing(files)));
    }
    const name = decodeURIComponent(path.split('/').at(-1)!);
    const data = path.startsWith(`/${repoId}/resolve/`) ? files.get(name) : undefined;
    if (!data) return response.writeHead(404).end('{}');
    return sendFile(request, response, data, name, faults);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
