import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { humanBytes } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

interface PruneOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

const prune = async (options: PruneOptions): Promise<void> => {
  const answer = await connect(options).prune(options.dryRun);
  if (options.json) {
    printJson(answer);
    return;
  }
  for (const { path, bytes } of answer.removed)
    console.log(`${humanBytes(bytes).padStart(8)}  ${path}`);
  console.log(`${options.dryRun ? 'would free' : 'freed'} ${humanBytes(answer.freed_bytes)}`);
};

export const pruneCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('prune')
        .description(
          'remove half downloads, leftovers of crashes and graph files that can be made again',
        )
        .option('--dry-run', 'only tell what would go'),
    ).action(prune),
    ['tollama prune --dry-run'],
  );
