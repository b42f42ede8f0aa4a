import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { humanBytes, humanTime } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { table } from '../terminal/table.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

interface ListOptions extends CommonOptions {
  readonly available?: boolean;
}

const printAvailable = async (options: ListOptions): Promise<void> => {
  const { available } = await connect(options).models();
  if (options.json) return printJson({ models: available });
  const rows = available.map(({ name, family, installed, license }) => [
    name,
    family,
    license.type,
    installed ? 'yes' : 'no',
  ]);
  console.log(table(['NAME', 'FAMILY', 'LICENCE', 'INSTALLED'], rows));
};

const list = async (prefix: string | undefined, options: ListOptions): Promise<void> => {
  if (options.available) return printAvailable(options);
  const { models } = await connect(options).tags();
  const shown = models.filter(({ name }) => prefix === undefined || name.startsWith(prefix));
  if (options.json) return printJson({ models: shown });
  if (shown.length === 0) {
    console.log(prefix ? `No installed model begins with '${prefix}'.` : 'No models installed.');
    return;
  }
  const now = Date.now();
  const rows = shown.map(({ name, digest, size, modified_at, details }) => [
    name,
    digest.slice(0, 12),
    details.family,
    humanBytes(size),
    humanTime(Date.parse(modified_at), now),
  ]);
  console.log(table(['NAME', 'ID', 'FAMILY', 'SIZE', 'MODIFIED'], rows));
};

export const listCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('list')
        .alias('ls')
        .description('list installed models')
        .argument('[prefix]', 'only names that start with it')
        .option('-a, --available', 'list what can be pulled or used, installed or not'),
    ).action(list),
    ['tollama list', 'tollama list chronos', 'tollama list --available --json'],
  );
