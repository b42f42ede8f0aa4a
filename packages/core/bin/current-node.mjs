/** Programs start here: sources are TypeScript that a current Node runs itself; an older one hands over to it. */
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);

const PROGRAM =
  process.platform === 'win32' ? 'node_modules/node/bin/node.exe' : 'node_modules/node/bin/node';

/** The Node that npm installed with the packages; undefined where there is none. */
const installedNode = () => {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const candidate = new URL(PROGRAM, folder);
    if (existsSync(candidate)) return fileURLToPath(candidate);
    if (new URL('..', folder).href === folder.href) return undefined;
  }
};

const handOver = async () => {
  const node = installedNode();
  if (!node) {
    console.error(`Error: tollama needs Node 22.18 or newer; this is ${process.versions.node}.`);
    console.error('Hint: install a current Node, or run `npm install node` beside tollama.');
    process.exit(1);
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // Who stops this process means the one behind it. Ctrl-C reaches both by itself.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

/** Runs a program with a Node that can: this one, or the one that npm installed. */
export const withCurrentNode = async (program) => {
  if (major < 22 || (major === 22 && minor < 18)) return handOver();
  module.enableCompileCache?.();
  await program();
};
