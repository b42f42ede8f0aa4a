import { EXIT } from '@tollama/core/errors';
import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { type Check, runChecks } from '../doctor/checks.ts';
import { printJson } from '../terminal/json.ts';
import { positiveNumber, withExamples } from './options.ts';

interface DoctorOptions {
  readonly baseUrl?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

const SIGNS = { pass: '✓', warn: '!', fail: '✗' } as const;

const count = (checks: readonly Check[], status: Check['status']): number =>
  checks.filter((check) => check.status === status).length;

const doctor = async (options: DoctorOptions): Promise<void> => {
  const checks = await runChecks(connect({ baseUrl: options.baseUrl, timeout: options.timeout }));
  const summary = {
    pass: count(checks, 'pass'),
    warn: count(checks, 'warn'),
    fail: count(checks, 'fail'),
  };
  if (options.json) printJson({ checks, summary });
  else {
    for (const { name, status, message } of checks)
      console.log(`${SIGNS[status]} ${name.padEnd(10)} ${message}`);
    console.log(`\n${summary.pass} fine, ${summary.warn} to look at, ${summary.fail} broken`);
  }
  // By contract: 2 when something is broken, 1 when something should be looked at.
  process.exitCode = summary.fail > 0 ? 2 : summary.warn > 0 ? 1 : EXIT.ok;
};

export const doctorCommand = (): Command =>
  withExamples(
    new Command('doctor')
      .description('look for what may be wrong, and say what to do')
      .option('--base-url <url>', 'address of the daemon')
      .option('--timeout <seconds>', 'time to wait for it', positiveNumber, 2)
      .option('--json', 'print JSON')
      .action(doctor),
    ['tollama doctor', 'tollama doctor --json'],
  );
