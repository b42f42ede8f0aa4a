/** Bundles the page as a site would, and serves it with onnxruntime's WebAssembly and the golden checkpoints. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, normalize, resolve } from 'node:path';
import { build, type Rolldown } from 'vite';

const GOLDEN = resolve(import.meta.dirname, '../../golden');

const PAGE =
  '<!doctype html><link rel="icon" href="data:"><script type="module" src="/page.js"></script>';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** One script; fails when anything in it would need Node. */
export const bundlePage = async (): Promise<string> => {
  const built = await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: join(import.meta.dirname, 'page.ts'),
        onwarn(warning) {
          throw new Error(`the page cannot be bundled: ${warning.message}`);
        },
      },
    },
  });
  const { output } = built as Rolldown.RolldownOutput;
  return output.find((file) => file.type === 'chunk')!.code;
};

export interface Page extends AsyncDisposable {
  readonly url: string;
}

export const servePage = async (script: string): Promise<Page> => {
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
  const read = (path: string): Promise<Uint8Array | string> => {
    if (path === '/') return Promise.resolve(PAGE);
    if (path === '/page.js') return Promise.resolve(script);
    const [, place, ...rest] = normalize(path).split('/');
    const folder = { runtime, models: GOLDEN }[place!];
    return folder ? readFile(join(folder, ...rest)) : Promise.reject(new Error('not there'));
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    read(pathname).then(
      (body) => {
        const type = TYPES[extname(pathname) || '.html'] ?? 'application/octet-stream';
        response.writeHead(200, { 'content-type': type }).end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};
