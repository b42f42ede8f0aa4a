import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { humanBytes, humanTime } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { table } from '../terminal/table.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

const ps = async (options: CommonOptions): Promise<void> => {
  const answer = await connect(options).ps();
  if (options.json) return printJson(answer);
  if (answer.models.length === 0) {
    console.log('No models loaded.');
    return;
  }
  const now = Date.now();
  const rows = answer.models.map(({ name, details, size, weights, context_length, expires_at }) => [
    name,
    details.family,
    humanBytes(size),
    humanBytes(weights),
    '100% CPU',
    context_length === null ? '-' : String(context_length),
    expires_at === null ? 'Forever' : humanTime(Date.parse(expires_at), now),
  ]);
  console.log(
    table(['NAME', 'FAMILY', 'SIZE', 'WEIGHTS', 'PROCESSOR', 'CONTEXT', 'EXPIRES'], rows),
  );
};

export const psCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('ps').description('list loaded models, their memory, and until when they stay'),
    ).action(ps),
    ['tollama ps', 'tollama ps --json'],
  );
