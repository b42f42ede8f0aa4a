/** MCP over Streamable HTTP as a fetch handler: one address, /mcp. */
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import type { TollamaClient } from '@tollama/client';
import type { DatasetSource, McpContext } from './context.ts';
import { LIMITS } from './limits.ts';
import { RunStore } from './run-store.ts';
import { createMcpServer } from './server.ts';

export const MCP_PATH = '/mcp';

export interface McpHttpOptions {
  /** A client of the daemon for the caller's own key, or for none. */
  readonly connect: (apiKey: string | undefined) => TollamaClient;
  readonly datasets?: DatasetSource | undefined;
  /** Names that callers may know this server by, besides those of this machine; without ports. */
  readonly allowedHosts?: readonly string[];
  readonly onError?: (error: Error) => void;
}

export interface McpHttp extends AsyncDisposable {
  readonly fetch: (request: Request) => Promise<Response>;
}

const CALLERS = 100;

const bearerOf = ({ headers }: Request): string | undefined =>
  /^Bearer\s+(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];

/** Callers see their own forecasts only; the one that was here longest ago is forgotten first. */
class Callers {
  readonly #contexts = new Map<string, McpContext>();
  readonly #options: McpHttpOptions;

  constructor(options: McpHttpOptions) {
    this.#options = options;
  }

  contextOf(apiKey: string | undefined): McpContext {
    const { connect, datasets } = this.#options;
    const name = apiKey ?? '';
    const context = this.#contexts.get(name) ?? {
      client: connect(apiKey),
      runs: new RunStore(),
      datasets,
    };
    this.#contexts.delete(name);
    this.#contexts.set(name, context);
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > CALLERS) this.#contexts.delete(oldest!);
    return context;
  }
}

/**
 * A handler of requests. It refuses those whose Host or Origin is not of this machine or allowed by name: a web
 * page must not reach it by a name that it lets point here.
 */
export const createMcpHttp = (options: McpHttpOptions): McpHttp => {
  const { allowedHosts = [], onError } = options;
  const callers = new Callers(options);
  const handler = createMcpHandler(
    ({ requestInfo }) =>
      createMcpServer(callers.contextOf(requestInfo ? bearerOf(requestInfo) : undefined)),
    { maxRequestBodySize: LIMITS.messageBytes, ...(onError && { onerror: onError }) },
  );
  const hosts = [...localhostAllowedHostnames(), ...allowedHosts];
  const origins = [...localhostAllowedOrigins(), ...allowedHosts];
  return {
    async fetch(request) {
      const refused =
        hostHeaderValidationResponse(request, hosts) ?? originValidationResponse(request, origins);
      if (refused) return refused;
      if (new URL(request.url).pathname !== MCP_PATH) {
        return Response.json({ detail: 'Not Found' }, { status: 404 });
      }
      return handler.fetch(request);
    },
    [Symbol.asyncDispose]: () => handler.close(),
  };
};
