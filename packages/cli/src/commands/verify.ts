import { EXIT } from '@tollama/core/errors';
import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { humanBytes } from '../terminal/human.ts';
import { interruptSignal } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

interface VerifiedFile {
  readonly path: string;
  readonly size: number;
  readonly status: 'ok' | 'damaged' | 'missing' | 'unknown';
  readonly detail?: string;
}

const verify = async (model: string, options: CommonOptions): Promise<void> => {
  const progress = createProgress('auto', options.quiet);
  const files: VerifiedFile[] = [];
  let isDamaged = false;
  try {
    for await (const event of connect(options).verify(model, { signal: interruptSignal() })) {
      if (event.file) files.push(event.file as VerifiedFile);
      progress.status(`verifying ${model}: ${files.length} files`);
      isDamaged = event.status === 'damaged';
    }
  } finally {
    progress.stop();
  }
  if (options.json) printJson({ model, files, damaged: isDamaged });
  else
    for (const { path, size, status, detail } of files)
      console.log(
        `${status.padEnd(8)} ${path} (${humanBytes(size)})${detail ? `: ${detail}` : ''}`,
      );
  if (isDamaged) {
    process.stderr.write(
      `Error: files of '${model}' are damaged\nHint: tollama rm ${model} && tollama pull ${model}\n`,
    );
    process.exitCode = EXIT.checkFailed;
  }
};

export const verifyCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('verify')
        .description('compare the files of a model with the hashes they were pulled with')
        .argument('<model>'),
    ).action(verify),
    ['tollama verify chronos-bolt-small'],
  );
