#!/usr/bin/env node
import { runRunner } from '../src/main.ts';

runRunner(process.argv.slice(2));
