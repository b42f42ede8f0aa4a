/** `tollama runtime` against an npm registry on loopback: real tarballs, real hashes, the real npm. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DUCKDB } from '@tollama/core/runtime-choice';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const PROGRAM = resolve(ROOT, 'packages/cli/bin/tollama.mjs');
const RUNTIME = 'onnxruntime-node';
const VERSION = '1.30.0';
const hasNpm = spawnSync('npm', ['--version']).status === 0;
if (!hasNpm) console.warn('SKIPPED: runtime install; there is no npm');

/** A file of a tar archive: the header of 512 bytes, and the content in blocks of as many. */
const tarEntry = (name: string, content: string): Buffer => {
  const data = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
};

const tarball = (script: string, name = RUNTIME, version = VERSION): Buffer =>
  gzipSync(
    Buffer.concat([
      tarEntry('package/package.json', JSON.stringify({ name, version, main: 'index.js' })),
      tarEntry('package/index.js', script),
      Buffer.alloc(1024),
    ]),
  );

const runtimeWith = (...devices: string[]): string =>
  `exports.listSupportedBackends = () => ${JSON.stringify(devices.map((name) => ({ name })))};`;

let home: string;
let registry: Server;
/** What the registry serves; its hash is that of `promised`. */
let sent: Buffer;
let promised: Buffer;
let asked: string[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tollama-runtime-'));
  asked = [];
  sent = tarball(runtimeWith('cpu', 'cuda'));
  promised = sent;
  registry = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url!.endsWith('.tgz')) return response.end(sent);
    const name = decodeURIComponent(request.url!.slice(1));
    const version = { [RUNTIME]: VERSION, [DUCKDB.package]: DUCKDB.version }[name];
    if (!version) return response.writeHead(404).end('{}');
    const integrity = `sha512-${createHash('sha512').update(promised).digest('base64')}`;
    const dist = { tarball: `${url()}/${RUNTIME}-${version}.tgz`, integrity };
    const versions = { [version]: { name, version, dist } };
    const body = { name, 'dist-tags': { latest: version }, versions };
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => registry.listen(0, '127.0.0.1', listening));
});
afterEach(async () => {
  registry.closeAllConnections();
  await new Promise((closed) => registry.close(closed));
  await rm(home, { recursive: true, force: true });
});
const url = (): string => `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;

const runtime = (...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
  new Promise((done) => {
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      TOLLAMA_HOME: join(home, 'state'),
      npm_config_registry: url(),
      npm_config_cache: join(home, 'npm-cache'),
      npm_config_fetch_retries: '0',
      npm_config_update_notifier: 'false',
    };
    const child = spawn(process.execPath, [PROGRAM, 'runtime', ...args], { env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('close', (code) => done({ code, out, err }));
  });

const state = async (): Promise<unknown> => JSON.parse((await runtime('list', '--json')).out);
const runtimes = (): string => join(home, 'state', 'runtimes');

describe.runIf(hasNpm)('tollama runtime', () => {
  test('install, list, remove', async () => {
    expect(await state()).toMatchObject({ used: 'built in', installed: [], usable: true });
    expect(await runtime('install', 'cuda')).toMatchObject({
      code: 0,
      out: expect.stringContaining('devices: cpu, cuda'),
    });
    expect(asked).toContain(`/onnxruntime-node-${VERSION}.tgz`);
    expect(await state()).toMatchObject({
      used: 'cuda',
      installed: ['cuda'],
      usable: true,
      devices: ['cpu', 'cuda'],
    });
    expect((await readdir(runtimes())).toSorted()).toEqual(['cuda', 'current.json']);
    expect((await runtime('remove', 'cuda')).code).toBe(0);
    expect(await state()).toMatchObject({ used: 'built in', installed: [] });
    expect(await runtime('remove', 'cuda')).toMatchObject({ code: 1 });
  });

  test('bytes with another hash are refused, and what was there stays', async () => {
    expect((await runtime('install', 'cpu')).code).toBe(0);
    await rm(join(home, 'npm-cache'), { recursive: true });
    sent = tarball(runtimeWith('evil'));
    expect(await runtime('install', 'cpu')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/EINTEGRITY[\s\S]*what was there before stays/),
    });
    expect(await state()).toMatchObject({ used: 'cpu', devices: ['cpu', 'cuda'] });
    expect((await readdir(runtimes())).toSorted()).toEqual(['cpu', 'current.json']);
  });

  test('a library that does not load is not taken', async () => {
    sent = promised = tarball('throw new Error("wrong ELF class")');
    expect(await runtime('install', 'cpu')).toMatchObject({
      code: 1,
      err: expect.stringContaining('wrong ELF class'),
    });
    expect(await state()).toMatchObject({ used: 'built in', usable: true });
    expect(await readdir(runtimes())).toEqual([]);
  });

  test('repair: nothing to do, or fetched again', async () => {
    expect((await runtime('repair')).out).toContain('nothing to repair');
    expect((await runtime('install', 'cuda')).code).toBe(0);
    const entry = join(runtimes(), 'cuda', 'node_modules', 'onnxruntime-node', 'index.js');
    await writeFile(entry, 'throw new Error("file too short")');
    expect(await state()).toMatchObject({ used: 'cuda', usable: false });
    expect(await runtime('repair')).toMatchObject({ code: 0 });
    expect(await state()).toMatchObject({ used: 'cuda', usable: true });
  });

  test('DuckDB goes to a place of its own', async () => {
    const { version } = JSON.parse(
      await readFile(resolve(ROOT, 'node_modules', DUCKDB.package, 'package.json'), 'utf8'),
    ) as { readonly version: string };
    expect(version).toBe(DUCKDB.version);
    const script = "exports.version = () => 'v9'; exports.own = true;";
    sent = promised = tarball(script, DUCKDB.package, DUCKDB.version);
    expect(await runtime('install', 'duckdb')).toMatchObject({
      code: 0,
      out: expect.stringContaining('DuckDB v9'),
    });
    expect(await readdir(runtimes())).toEqual(['duckdb']);
    expect(await state()).toMatchObject({ used: 'built in', installed: [] });
    sent = promised = tarball('throw new Error("wrong ELF class")', DUCKDB.package, DUCKDB.version);
    await rm(join(home, 'npm-cache'), { recursive: true });
    expect(await runtime('install', 'duckdb')).toMatchObject({
      code: 1,
      err: expect.stringContaining('does not load'),
    });
    expect(await readdir(runtimes())).toEqual(['duckdb']);
    expect((await runtime('remove', 'duckdb')).code).toBe(0);
    expect((await runtime('remove', 'duckdb')).code).toBe(1);
  });

  test('a registry that is away, a name that is none', async () => {
    registry.removeAllListeners('request');
    registry.on('request', (_, response) => response.destroy());
    expect(await runtime('install', 'cpu')).toMatchObject({ code: 1 });
    expect(await runtime('install', 'tpu')).toMatchObject({ code: 2 });
  });
});
