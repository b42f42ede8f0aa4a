#!/usr/bin/env node
// Sources are TypeScript that Node runs itself. An older Node hands over to the one that npm installed.
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  enableCompileCache?.();
  const { main } = await import('../src/main.ts');
  await main(process.argv);
} else {
  const { spawnSync } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  let folder = new URL('.', import.meta.url);
  let node;
  while (!node) {
    const candidate = new URL(
      process.platform === 'win32'
        ? 'node_modules/node/bin/node.exe'
        : 'node_modules/node/bin/node',
      folder,
    );
    if (existsSync(candidate)) node = fileURLToPath(candidate);
    const parent = new URL('..', folder);
    if (parent.href === folder.href) break;
    folder = parent;
  }
  if (!node) {
    console.error(`Error: tollama needs Node 22.18 or newer; this is ${process.versions.node}.`);
    console.error('Hint: install a current Node, or run `npm install node` beside tollama.');
    process.exit(1);
  }
  const child = spawnSync(node, process.argv.slice(1), { stdio: 'inherit' });
  process.exit(child.status ?? 1);
}
