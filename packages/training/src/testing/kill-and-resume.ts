/**
 * Kills a training with SIGKILL at random steps and lets it go on each time; its weights must end as those of a
 * training that nobody disturbed, bit for bit. `node kill-and-resume.ts [KILLS] [SEED] [tiny|CHECKPOINT]` does it
 * from the shell; of a checkpoint a LoRA adapter is trained.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineSplitter } from '@tollama/core/line-splitter';
import { RandomStream } from '../data/random-stream.ts';

const programOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs the training; kills it as soon as it says that step. @returns whether it was killed */
const runOnce = (
  folder: string,
  killAt: number | undefined,
  checkpoint: string | undefined,
): Promise<boolean> =>
  new Promise((done, reject) => {
    const command =
      checkpoint === undefined
        ? [programOf('./train-tiny.ts'), folder]
        : [programOf('./train-lora.ts'), folder, checkpoint];
    const child = spawn(process.execPath, command, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = new LineSplitter();
    let committed = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      committed += lines.push(chunk).length;
      if (killAt !== undefined && committed >= killAt) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') done(true);
      else if (code === 0) done(false);
      else reject(new Error(`the training ended with code ${code}`));
    });
  });

const finalOf = (folder: string): Promise<string> => readFile(join(folder, 'final.json'), 'utf8');

export interface KillReport {
  readonly kills: number;
  readonly isSame: boolean;
}

/** A run that outlives its kills is killed no more; the report says how many there were. */
export const killAndResume = async (
  kills: number,
  seed: number,
  checkpoint?: string,
): Promise<KillReport> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollama-kills-'));
  const random = RandomStream.of(seed);
  try {
    const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
    await runOnce(whole, undefined, checkpoint);
    let count = 0;
    // Checkpoints are 4 steps apart: fewer than that and the run would never come forward.
    while (count < kills && (await runOnce(killed, 1 + random.integer(6), checkpoint))) count++;
    if (count === kills) await runOnce(killed, undefined, checkpoint);
    return { kills: count, isSame: (await finalOf(whole)) === (await finalOf(killed)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  const [kills = '20', seed = '1', model = 'tiny'] = process.argv.slice(2);
  const checkpoint = model === 'tiny' ? undefined : resolve(model);
  const report = await killAndResume(Number(kills), Number(seed), checkpoint);
  console.log(`${report.kills} kills: ${report.isSame ? 'the same bits' : 'OTHER BITS'}`);
  process.exitCode = report.isSame ? 0 : 1;
}
