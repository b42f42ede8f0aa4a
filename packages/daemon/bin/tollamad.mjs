#!/usr/bin/env node
import { runDaemon } from '../src/run.ts';

await runDaemon();
