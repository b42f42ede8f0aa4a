#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

enableCompileCache?.();
// Bodies die young: a small nursery, set before it has grown, keeps a busy daemon smaller and no slower.
setFlagsFromString('--max-semi-space-size=8');
const { runDaemon } = await import('../src/run.ts');
await runDaemon();
