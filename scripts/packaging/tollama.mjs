#!/usr/bin/env node
// The published command: bundled JavaScript, for the Node that started it. An old one has to get as far as the
// message, so there is no syntax here that Node 12 does not read.
import * as nodeModule from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Error: tollama needs Node 20.19 or newer; this is ${process.versions.node}.`);
  console.error('Hint: install a current Node, or use the archive that brings its own.');
  process.exit(1);
}
if ('enableCompileCache' in nodeModule) nodeModule.enableCompileCache();
import('../dist/main.js').then(({ main }) => main(process.argv));
