/** What a hub says of a repository: its commit and the files that a model needs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { timerMs } from '@tollama/core/timer';
import { z } from 'zod';
import { fetchOver, type Network } from './hub-transport.ts';

export interface HubOptions {
  readonly endpoint: string;
  readonly network: Network;
  /** A hub that says nothing for that long is asked again. */
  readonly stallMs: number;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HubFile {
  readonly path: string;
  /** Undefined when the hub does not tell it beforehand. */
  readonly sizeBytes: number | undefined;
  /** Name of the blob: sha256 of large files, git's sha1 of small ones. */
  readonly etag: string;
  readonly sha256: string | undefined;
}

export interface HubRevision {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const Sibling = z.object({
  rfilename: z.string(),
  size: z.number().nullish(),
  blobId: z.string().nullish(),
  lfs: z
    .object({ sha256: z.string().optional(), oid: z.string().optional(), size: z.number() })
    .nullish(),
});
/** A commit and a blob's name become parts of paths. */
const PATH_PART = /^(?!\.*$)[\w.-]{1,200}$/;

const RepoInfo = z.object({ sha: z.string().regex(PATH_PART), siblings: z.array(Sibling) });

const ATTEMPTS = 5;

const MAX_RETRY_AFTER_MS = 60_000;

const isTransient = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** Pause before the next try: what the hub asks for, else growing, with jitter. */
const pauseMs = (attempt: number, retryAfter: string | null): number => {
  const seconds = Number(retryAfter);
  const askedMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter!) - Date.now();
  if (retryAfter && Number.isFinite(askedMs))
    return Math.min(Math.max(askedMs, 0), MAX_RETRY_AFTER_MS);
  return (0.5 + Math.random() / 2) * Math.min(10_000, 500 * 2 ** attempt);
};

const headersOf = (
  { token }: HubOptions,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  'user-agent': 'tollama',
  ...(token && { authorization: `Bearer ${token}` }),
  ...extra,
});

export interface HubFetchInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly redirect?: 'follow' | 'manual';
}

const CERTIFICATE_CODES = /CERT|UNABLE_TO_VERIFY|ERR_TLS/;

const untrusted = (url: string, cause: unknown): TollamaError =>
  new TollamaError(
    'PULL_FAILED',
    `the certificate of ${new URL(url).origin} is not trusted: ${errorMessage(cause)}`,
    {
      hint: 'name the CA in NODE_EXTRA_CA_CERTS; --insecure (insecure: true) takes any certificate',
      cause,
    },
  );

/**
 * Fetches an address of the hub; transient failures are tried again. Throws PULL_FAILED when the hub
 * cannot be reached, or keeps failing.
 */
export const hubFetch = async (
  url: string,
  options: HubOptions,
  init: HubFetchInit = {},
): Promise<Response> => {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt === ATTEMPTS - 1;
    try {
      // The timeout covers the wait for the first byte; stalls of the body are the reader's business.
      const started = new AbortController();
      const timer = setTimeout(
        () => started.abort(new Error(`no answer for ${options.stallMs / 1000} s`)),
        timerMs(options.stallMs),
      );
      const signals = options.signal ? [options.signal, started.signal] : [started.signal];
      const response = await fetchOver(options.network, url, {
        method: init.method ?? 'GET',
        headers: headersOf(options, init.headers),
        redirect: init.redirect ?? 'follow',
        signal: AbortSignal.any(signals),
      }).finally(() => clearTimeout(timer));
      if (!isTransient(response.status) || isLast) return response;
      await response.body?.cancel();
      await sleep(pauseMs(attempt, response.headers.get('retry-after')), undefined, {
        signal: options.signal,
      });
    } catch (cause) {
      options.signal?.throwIfAborted();
      const isCertificate = CERTIFICATE_CODES.test((cause as NodeJS.ErrnoException).code ?? '');
      if (isCertificate) throw untrusted(url, cause);
      if (cause instanceof TollamaError) throw cause;
      if (isLast) {
        const reason =
          errorMessage(cause) || ((cause as NodeJS.ErrnoException).code ?? 'no reason given');
        throw new TollamaError(
          'PULL_FAILED',
          `${new URL(url).origin} cannot be reached: ${reason}`,
          {
            hint: 'check the network, HTTPS_PROXY and NO_PROXY, and NODE_EXTRA_CA_CERTS for an own CA; or pull a local folder',
            cause,
          },
        );
      }
      await sleep(pauseMs(attempt, null), undefined, { signal: options.signal });
    }
  }
};

/** What a refusal of the hub means to the user. */
export const hubError = (
  response: Response,
  repoId: string,
  revision: string,
  endpoint: string,
): TollamaError => {
  const { status } = response;
  const reason = response.headers.get('x-error-code');
  const page = `${endpoint}/${repoId}`;
  if (status === 401 || status === 403 || reason === 'GatedRepo') {
    return new TollamaError(
      'PULL_FAILED',
      `${repoId} is gated or private (the hub answered ${status})`,
      {
        hint: `accept its terms at ${page}, and set TOLLAMA_HF_TOKEN to a token that may read it`,
      },
    );
  }
  if (status === 404) {
    return new TollamaError(
      'PULL_FAILED',
      `${repoId}@${revision} does not exist on ${endpoint} (404)`,
      {
        hint: 'check owner, name and revision; a private repository needs TOLLAMA_HF_TOKEN',
      },
    );
  }
  return new TollamaError(
    'PULL_FAILED',
    `${endpoint} answered ${status} for ${repoId}@${revision}`,
  );
};

export const fileUrl = (endpoint: string, repoId: string, commit: string, path: string): string =>
  `${endpoint}/${repoId}/resolve/${encodeURIComponent(commit)}/${path.split('/').map(encodeURIComponent).join('/')}`;

const WEIGHTS = /\.safetensors$/;
const PICKLES = /\.(ckpt|pt|pth|bin)$/;
const SMALL =
  /(^|\/)(config|generation_config|adapter_config|preprocessor_config)\.json$|\.safetensors\.index\.json$|^LICENSE/i;

/** Which files a model needs: configs and safetensors; a pickle only where there is nothing better. */
export const wantedFiles = (paths: readonly string[]): readonly string[] => {
  const safe = paths.some((path) => WEIGHTS.test(path));
  const plain = paths.filter(
    (path) => !path.split('/').some((part) => part === '..' || part === ''),
  );
  return plain.filter(
    (path) => SMALL.test(path) || WEIGHTS.test(path) || (!safe && PICKLES.test(path)),
  );
};

const unquote = (etag: string | null): string | undefined =>
  etag?.replace(/^W\//, '').replaceAll('"', '') || undefined;

/** Size and etag by a HEAD request, for hubs whose listing lacks them. */
const headFile = async (
  repoId: string,
  commit: string,
  path: string,
  options: HubOptions,
): Promise<HubFile> => {
  const url = fileUrl(options.endpoint, repoId, commit, path);
  const response = await hubFetch(url, options, {
    method: 'HEAD',
    redirect: 'manual',
    headers: { 'accept-encoding': 'identity' },
  });
  if (response.status >= 400) throw hubError(response, repoId, commit, options.endpoint);
  const { headers } = response;
  const etag = unquote(headers.get('x-linked-etag') ?? headers.get('etag'));
  const size = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN);
  const sha256 = etag && /^[0-9a-f]{64}$/.test(etag) ? etag : undefined;
  return {
    path,
    sizeBytes: Number.isFinite(size) ? size : undefined,
    etag: etag && PATH_PART.test(etag) ? etag : `${commit}-${path.replaceAll('/', '-')}`,
    sha256,
  };
};

/** Resolves a revision and lists the wanted files with their sizes and hashes. */
export const readRevision = async (
  repoId: string,
  revision: string,
  options: HubOptions,
): Promise<HubRevision> => {
  const { endpoint } = options;
  const url = `${endpoint}/api/models/${repoId}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await hubFetch(url, options);
  if (!response.ok) throw hubError(response, repoId, revision, endpoint);
  const info = RepoInfo.safeParse(await response.json().catch(() => undefined));
  if (!info.success)
    throw new TollamaError('PULL_FAILED', `${endpoint} does not answer like a hub for ${repoId}`);
  const { sha: commit, siblings } = info.data;
  const wanted = new Set(wantedFiles(siblings.map(({ rfilename }) => rfilename)));
  const files = await Promise.all(
    siblings
      .filter(({ rfilename }) => wanted.has(rfilename))
      .map(async ({ rfilename, size, blobId, lfs }): Promise<HubFile> => {
        const sha256 = lfs?.sha256 ?? lfs?.oid;
        const etag = sha256 ?? blobId;
        if (!etag || !/^[0-9a-f]{1,200}$/.test(etag))
          return headFile(repoId, commit, rfilename, options);
        return { path: rfilename, sizeBytes: lfs?.size ?? size ?? undefined, etag, sha256 };
      }),
  );
  if (files.length === 0) {
    throw new TollamaError(
      'PULL_FAILED',
      `${repoId}@${revision} holds no weights that can be read`,
      {
        hint: 'safetensors, and PyTorch files where there is nothing else, are read',
      },
    );
  }
  return { commit, files };
};
