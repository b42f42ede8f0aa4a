/**
 * A process that computes gradients of the tiny training. With the argument `dies` it ends at its first task, with
 * `never` it does not even start.
 */
import { serveShards } from '../parallel/serve-shards.ts';
import { openTinyStep } from './tiny-training.ts';

const [how] = process.argv.slice(2);

if (how === 'never') process.exit(3);
else if (how === 'dies') process.on('message', () => process.exit(7));
else serveShards(() => openTinyStep());
