import { Command } from 'commander';
import { positiveInteger, share, withExamples } from './options.ts';

interface CalibrateOptions {
  readonly input: readonly string[];
  readonly output: string;
  readonly targetCoverage: number;
  readonly minSamples: number;
}

const calibrate = async (options: CalibrateOptions): Promise<void> => {
  const fitting = await import('@tollama/gateway/conformal/calibrate');
  const samples = await fitting.readSamples(options.input);
  const { state, coverageBefore, coverageAfter } = fitting.calibrate(samples, options);
  await fitting.writeState(options.output, state);
  console.log(`samples=${samples.length}`);
  console.log(`segments=${Object.keys(state.segments).length}`);
  console.log(`coverage_before=${coverageBefore.toFixed(4)}`);
  console.log(`coverage_after=${coverageAfter.toFixed(4)}`);
  console.log(`written=${options.output}`);
};

const collect = (value: string, given: readonly string[] = []): readonly string[] => [
  ...given,
  value,
];

export const gatewayCalibrateCommand = (): Command =>
  withExamples(
    new Command('calibrate')
      .description('fit the conformal state from forecasts whose outcome is known')
      .requiredOption('--input <path>', 'JSON lines, or a folder of them; may be repeated', collect)
      .requiredOption('--output <file>', 'state file to write; a running gateway takes it up')
      .option('--target-coverage <share>', 'share of outcomes inside the interval', share, 0.9)
      .option('--min-samples <n>', 'fewer give a segment no own adjustment', positiveInteger, 50)
      .action(calibrate),
    ['tollama gateway calibrate --input records/ --output conformal_state.json'],
  );
