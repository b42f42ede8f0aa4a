#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

enableCompileCache?.();
const { runDaemon } = await import('../src/run.ts');
await runDaemon();
