#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

enableCompileCache?.();
const { trainMain } = await import('../src/job/main.ts');
await trainMain(process.argv.slice(2));
