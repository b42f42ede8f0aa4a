/** A forward proxy on loopback that takes notes: for tests. */
import { createServer, request as requestHttp } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface FakeProxy extends AsyncDisposable {
  readonly port: number;
  /** `CONNECT host:port` of tunnels, `GET http://...` of plain requests. */
  readonly seen: string[];
  /** Proxy-Authorization of each of them. */
  readonly credentials: (string | undefined)[];
}

export const startFakeProxy = async (): Promise<FakeProxy> => {
  const seen: string[] = [];
  const credentials: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    credentials.push(request.headers['proxy-authorization']);
    const { method, headers } = request;
    const onward = requestHttp(request.url!, { method: method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  const tunnels = new Set<Duplex>();
  server.on('connect', (request, client) => {
    tunnels.add(client);
    seen.push(`CONNECT ${request.url}`);
    credentials.push(request.headers['proxy-authorization']);
    const [host, port] = request.url!.split(':');
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
    client.on('close', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    credentials,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      for (const tunnel of tunnels) tunnel.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
