/**
 * Builds the dashboard into packages/web/dist, which no commit holds. It is built beside its place and
 * renamed, so that a daemon never serves half of one. Plain JavaScript on purpose: it runs when the packages
 * are installed, on whatever Node the machine has.
 *
 *   --if-changed  leaves a build alone that was made of the same sources
 *   --optional    a failure is told, and fails nothing: the daemon works without a dashboard
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const web = join(root, 'packages', 'web');
const dist = join(web, 'dist');
const stamp = join(dist, '.sources');

/** What the build is made of: the sources of the page and of what it imports, and this script. */
const SOURCES = [
  'packages/web/src',
  'packages/web/index.html',
  'packages/client/src',
  'packages/core/src',
  'package-lock.json',
  'scripts/build-dashboard.mjs',
];

const filesOf = (path) => {
  if (/\.[^/\\]+$/.test(path)) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
};

const hashOfSources = () => {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((path) => filesOf(join(root, path)))) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
};

const build = async (hash) => {
  const vite = await import('vite');
  const fresh = join(web, `dist.${process.pid}.tmp`);
  await vite.build({
    root: web,
    base: '/dashboard/',
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: fresh,
      emptyOutDir: true,
      target: 'es2023',
      // light-dark() stays as it is: browsers without it are older than the target.
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  writeFileSync(join(fresh, '.sources'), hash);
  const old = join(web, `dist.${process.pid}.old.tmp`);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
};

const gzippedBytes = () =>
  filesOf(dist)
    .filter((file) => file !== stamp)
    .reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);

const buildUnlessFresh = async (isFreshEnough) => {
  const hash = hashOfSources();
  if (isFreshEnough && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  const started = performance.now();
  await build(hash);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const kilobytes = Math.round(gzippedBytes() / 1000);
  console.error(`built the dashboard in ${seconds} s: ${kilobytes} kB gzipped`);
};

const flags = process.argv.slice(2);
try {
  await buildUnlessFresh(flags.includes('--if-changed'));
} catch (error) {
  console.error(`the dashboard could not be built: ${error.message}`);
  if (!flags.includes('--optional')) process.exitCode = 1;
}
