#!/usr/bin/env node
// The published command: bundled JavaScript, for the Node that started it.
import * as nodeModule from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Error: tollama needs Node 20.19 or newer; this is ${process.versions.node}.`);
  console.error('Hint: install a current Node, or use the archive that brings its own.');
  process.exit(1);
}
nodeModule.enableCompileCache?.();
const { main } = await import('../dist/main.js');
await main(process.argv);
