/** A server of its own for MCP over HTTP. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { TollamaError } from '@tollama/core/errors';
import { createMcpHttp, MCP_PATH, type McpHttpOptions } from './http.ts';

export interface ServeHttpOptions extends McpHttpOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface McpHttpServer extends AsyncDisposable {
  /** Where clients connect to. */
  readonly url: string;
}

/** @throws TollamaError CONFIG_INVALID when the address cannot be bound */
export const serveOverHttp = async (options: ServeHttpOptions): Promise<McpHttpServer> => {
  const { host, port } = options;
  const http = createMcpHttp(options);
  const server = await new Promise<Server>((resolve, reject) => {
    const starting = serve({ fetch: http.fetch, hostname: host, port }, () =>
      resolve(starting as Server),
    );
    starting.once('error', (cause: Error) => {
      const message = `cannot listen on ${host}:${port}: ${cause.message}`;
      reject(new TollamaError('CONFIG_INVALID', message, { hint: 'choose another --port', cause }));
    });
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}${MCP_PATH}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      await http[Symbol.asyncDispose]();
      server.closeAllConnections();
      await closed;
    },
  };
};
