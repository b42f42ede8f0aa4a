#!/usr/bin/env node
import { withCurrentNode } from '@tollama/core/bin/current-node.mjs';

await withCurrentNode(async () => {
  const { main } = await import('../src/main.ts');
  await main(process.argv);
});
