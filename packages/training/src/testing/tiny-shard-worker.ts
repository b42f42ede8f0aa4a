/** A process that computes gradients of the tiny training; with the argument `dies` it ends at its first task. */
import { serveShards } from '../parallel/serve-shards.ts';
import { openTinyStep } from './tiny-training.ts';

if (process.argv[2] === 'dies') process.on('message', () => process.exit(7));
else serveShards(() => openTinyStep());
