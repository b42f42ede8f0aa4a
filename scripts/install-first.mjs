/**
 * Installs what is missing before a script that a newcomer runs right after `git clone`. Plain JavaScript
 * on purpose: it runs on whatever Node the machine has, before ours is there.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.installed-lock');
const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');

const isInstalled = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;

if (!isInstalled) {
  console.error('installing dependencies (once) ...');
  const started = Date.now();
  // onnxruntime-node's install script would download GPU libraries; those are opt-in.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // `npm ci` would refuse a lock file that lacks binaries of platforms that a registry mirror does not carry.
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  try {
    execFileSync(command, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      env,
      stdio: ['ignore', 2, 2],
    });
  } catch {
    console.error('Error: the dependencies could not be installed.');
    console.error(
      'Hint: is the npm registry reachable? `npm install` in the project folder shows the whole story.',
    );
    process.exit(1);
  }
  if (statSync(join(root, 'node_modules')).isDirectory()) writeFileSync(stamp, lock);
  console.error(`installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

// The daemon serves the dashboard from files that no commit holds; this takes a moment when they are there.
execFileSync(
  process.execPath,
  [join(root, 'scripts', 'build-dashboard.mjs'), '--if-changed', '--optional'],
  { cwd: root, stdio: ['ignore', 2, 2] },
);
