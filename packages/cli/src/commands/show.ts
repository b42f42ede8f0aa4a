import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { humanBytes } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

interface ShownModel {
  readonly name?: string;
  readonly family?: string;
  readonly digest?: string | null;
  readonly size?: number;
  readonly snapshot_path?: string | null;
  readonly source?: { readonly type: string; readonly repo_id: string; readonly revision: string };
  readonly license?: {
    readonly type: string;
    readonly accepted: boolean;
    readonly notice?: string;
  };
}

const section = (
  title: string,
  rows: readonly (readonly [string, string | undefined])[],
): string => {
  const known = rows.filter(([, value]) => value);
  return [`  ${title}`, ...known.map(([name, value]) => `    ${name.padEnd(18)}${value}`)].join(
    '\n',
  );
};

const print = (model: ShownModel): void => {
  const { source, license } = model;
  const parts = [
    section('Model', [
      ['name', model.name],
      ['family', model.family],
      ['size', model.size === undefined ? undefined : humanBytes(model.size)],
      ['revision', model.digest ?? undefined],
      ['files', model.snapshot_path ?? undefined],
    ]),
    section('Source', [
      ['type', source?.type],
      ['repository', source && `${source.repo_id}@${source.revision}`],
    ]),
    section('Licence', [
      ['type', license?.type],
      ['accepted', license && (license.accepted ? 'yes' : 'no')],
      ['notice', license?.notice],
    ]),
  ];
  console.log(parts.join('\n\n'));
};

const show = async (model: string, options: CommonOptions): Promise<void> => {
  const answer = await connect(options).show(model);
  // Another program gets the whole answer; a person the parts that matter.
  if (options.json || !process.stdout.isTTY) return printJson(answer);
  print(answer);
};

export const showCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('show')
        .description('show what a model is and where it came from')
        .argument('<model>'),
    ).action(show),
    ['tollama show chronos-bolt-small', 'tollama show chronos-bolt-small --json'],
  );
