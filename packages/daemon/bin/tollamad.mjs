#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { withCurrentNode } from '@tollama/core/bin/current-node.mjs';

await withCurrentNode(async () => {
  // Bodies die young: a small nursery, set before it has grown, keeps a busy daemon smaller and no slower.
  setFlagsFromString('--max-semi-space-size=8');
  const { runDaemon } = await import('../src/run.ts');
  await runDaemon();
});
