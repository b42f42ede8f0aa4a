import { EXIT } from '@tollama/core/errors';
import { Command, Option } from 'commander';
import { withExamples } from './options.ts';

interface CanaryOptions {
  readonly input: string;
  readonly stage: 'canary_5' | 'canary_25' | 'full_100';
}

/** Prints the verdict; the exit code is 0 when the stage may be passed, else 2. */
const judge = async ({ input, stage }: CanaryOptions): Promise<void> => {
  const { readCanaryData } = await import('@tollama/gateway/canary/canary-file');
  const { judgeCanary } = await import('@tollama/gateway/canary/gate');
  const verdict = judgeCanary(await readCanaryData(input), stage);
  console.log(JSON.stringify(verdict, null, 2));
  process.exitCode = verdict.gate_passed ? EXIT.ok : 2;
};

export const gatewayCanaryCommand = (): Command =>
  withExamples(
    new Command('canary')
      .description('judge the windows of a canary: pass the stage, hold it, or roll back')
      .requiredOption('--input <source>', 'JSON file of windows, or the address of a gateway')
      .addOption(
        new Option('--stage <stage>', 'stage that is judged')
          .choices(['canary_5', 'canary_25', 'full_100'])
          .makeOptionMandatory(),
      )
      .action(judge),
    [
      'tollama gateway canary --input windows.json --stage canary_5',
      'tollama gateway canary --input http://127.0.0.1:8000 --stage full_100',
    ],
  );
