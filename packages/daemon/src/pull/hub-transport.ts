/** HTTP to a hub: through proxies, past broken certificates where that is asked for, no further than told. */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { TollamaError } from '@tollama/core/errors';

/** How to reach a hub. A proxy is an address such as http://user:password@proxy:3128. */
export interface Network {
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  /** Hosts that are reached without a proxy, comma separated: names, .suffixes, *, host:port. */
  readonly noProxy: string | undefined;
  /** Whether certificates that nobody vouches for are taken. */
  readonly insecure: boolean;
}

export interface TransportRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: 'follow' | 'manual';
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 10;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** A proxy is an address; people leave the scheme out. */
const address = (proxy: string | undefined): string | undefined =>
  proxy && (/^\w+:\/\//.test(proxy) ? proxy : `http://${proxy}`);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const KNOWS_PROXIES = major > 24 || (major === 24 && minor >= 5);

const agentFor = (url: URL, network: Network): HttpAgent => {
  if (!KNOWS_PROXIES && (network.httpProxy || network.httpsProxy)) {
    throw new TollamaError('DEPENDENCY_MISSING', `Node ${process.versions.node} knows no proxies`, {
      hint: 'run tollama with Node 24.5 or newer, or pull without a proxy',
    });
  }
  const httpProxy = address(network.httpProxy);
  const httpsProxy = address(network.httpsProxy);
  const proxyEnv = {
    ...(httpProxy && { HTTP_PROXY: httpProxy }),
    ...(httpsProxy && { HTTPS_PROXY: httpsProxy }),
    ...(network.noProxy && { NO_PROXY: network.noProxy }),
  };
  return url.protocol === 'https:'
    ? new HttpsAgent({ proxyEnv, rejectUnauthorized: !network.insecure })
    : new HttpAgent({ proxyEnv });
};

const send = (url: URL, network: Network, request: TransportRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { method, headers, signal } = request;
    const start = url.protocol === 'https:' ? requestHttps : requestHttp;
    const agent = agentFor(url, network);
    const sent = start(url, { method, headers, signal, agent }, resolve);
    sent.on('error', reject);
    sent.end();
  });

const toResponse = (message: IncomingMessage, method: string): Response => {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headersDistinct))
    for (const one of value ?? []) headers.append(name, one);
  const status = message.statusCode!;
  const isEmpty = method === 'HEAD' || WITHOUT_BODY.has(status);
  if (isEmpty) message.resume();
  return new Response(isEmpty ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>), {
    status,
    headers,
  });
};

/** A token is for the host that it was given for. */
const headersAt = (
  headers: Readonly<Record<string, string>>,
  from: URL,
  to: URL,
): Readonly<Record<string, string>> => {
  if (from.origin === to.origin) return headers;
  const { authorization: _, ...rest } = headers;
  return rest;
};

/** Like fetch, over a network as described. Rejects with what the socket said, or the signal's reason. */
export const fetchOver = async (
  network: Network,
  address: string,
  request: TransportRequest,
): Promise<Response> => {
  let url = new URL(address);
  let { headers } = request;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const message = await send(url, network, { ...request, headers }).catch((error: unknown) => {
      request.signal.throwIfAborted();
      throw error;
    });
    const { location } = message.headers;
    const isRedirect = message.statusCode! >= 300 && message.statusCode! < 400 && location;
    if (!isRedirect || request.redirect === 'manual') return toResponse(message, request.method);
    message.resume();
    const next = new URL(location, url);
    headers = headersAt(headers, url, next);
    url = next;
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
};
