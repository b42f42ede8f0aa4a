import { TollamaError } from '@tollama/core/errors';
import { redact } from '@tollama/core/redaction';
import { Command } from 'commander';
import { configPath, readConfigFile, writeConfigFile } from '../config/config-file.ts';
import { CONFIG_KEYS, keyFacts, parseValue, readKey, writeKey } from '../config/keys.ts';
import { printJson } from '../terminal/json.ts';
import { table } from '../terminal/table.ts';
import { withExamples } from './options.ts';

interface JsonOption {
  readonly json?: boolean;
}

const list = async ({ json }: JsonOption): Promise<void> => {
  const config = (await readConfigFile(configPath())) ?? {};
  if (json) return printJson(redact(config));
  const rows = Object.keys(CONFIG_KEYS)
    .filter((key) => readKey(config, key) !== undefined)
    .map((key) => [key, redact(readKey(config, key), key.split('.').at(-1))] as const)
    .map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]);
  console.log(
    rows.length > 0 ? table(['KEY', 'VALUE'], rows) : 'Nothing is set; the defaults hold.',
  );
};

const get = async (key: string, { json }: JsonOption): Promise<void> => {
  keyFacts(key);
  const value = readKey((await readConfigFile(configPath())) ?? {}, key) ?? null;
  console.log(json || typeof value !== 'string' ? JSON.stringify(value) : value);
};

const set = async (key: string, text: string): Promise<void> => {
  const value = parseValue(key, text);
  const path = configPath();
  await writeConfigFile(path, writeKey((await readConfigFile(path)) ?? {}, key, value));
};

const unset = async (key: string): Promise<void> => {
  keyFacts(key);
  const path = configPath();
  const config = await readConfigFile(path);
  if (config) await writeConfigFile(path, writeKey(config, key, undefined));
};

const keys = ({ json }: JsonOption): void => {
  const known = Object.entries(CONFIG_KEYS).map(([key, facts]) => ({ key, ...facts }));
  const rows = known.map(({ key, type, meaning }) => [key, type, meaning]);
  if (json) printJson(known);
  else console.log(table(['KEY', 'TYPE', 'MEANING'], rows));
};

const init = async ({ force }: { readonly force?: boolean }): Promise<void> => {
  const path = configPath();
  if (!force && (await readConfigFile(path))) {
    throw new TollamaError('CONFIG_INVALID', `${path} exists already`, {
      hint: 'use --force to start over',
    });
  }
  await writeConfigFile(path, {});
  console.log(path);
};

export const configCommand = (): Command => {
  const command = new Command('config').description('read and write config.json');
  command.command('list').description('what is set').option('--json', 'print JSON').action(list);
  command
    .command('get')
    .argument('<key>')
    .description('one value; null when it is not set')
    .option('--json', 'print JSON')
    .action(get);
  command
    .command('set')
    .argument('<key>')
    .argument('<value>')
    .description('set a value')
    .action(set);
  command.command('unset').argument('<key>').description('go back to the default').action(unset);
  command
    .command('keys')
    .description('all keys and what they mean')
    .option('--json', 'print JSON')
    .action(keys);
  command
    .command('init')
    .description('write an empty config.json')
    .option('--force', 'over an existing one')
    .action(init);
  return withExamples(
    command,
    [
      'tollama config set pull.offline true',
      'tollama config get pull.max_workers',
      'tollama config keys',
    ],
    ['TOLLAMA_HOME'],
  );
};
