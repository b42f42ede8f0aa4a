import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { METRICS } from '../contracts/metrics.ts';
import type { TrainingStep } from '../step/training-step.ts';
import type { TrainingEvent } from '../telemetry/event.ts';
import { killAndResume } from '../testing/kill-and-resume.ts';
import { openTinyTraining, tinyBatches } from '../testing/tiny-training.ts';

const weightsOf = (step: TrainingStep) => {
  const { parameters, moments } = step.state();
  return [...parameters, ...moments].map(([name, { data }]) => [
    name,
    Array.from(data as Float32Array),
  ]);
};

const namesOf = (events: readonly TrainingEvent[]): string[] => events.map(({ name }) => name);

const record = (training: {
  telemetry: { listen: (l: (e: TrainingEvent) => void) => unknown };
}) => {
  const events: TrainingEvent[] = [];
  training.telemetry.listen((event) => events.push(event));
  return events;
};

test('a training brings the loss down, and points at its best checkpoint', async () => {
  await withFolder(async (folder) => {
    await using training = await openTinyTraining(folder);
    const events = record(training);
    await training.trainer.open();
    const outcome = await training.trainer.run();
    expect(outcome).toMatchObject({ end: 'finished', step: 60, epoch: 6 });
    const losses = events
      .filter(({ name }) => name === 'training.epoch')
      .map(({ attributes }) => Number(attributes.validation_loss));
    expect(losses).toHaveLength(6);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    const best = (await readFile(join(folder, 'checkpoints/best'), 'utf8')).trim();
    expect(best).toBe(`step-0000${outcome.best!.step}`);
    expect((await readdir(join(folder, 'checkpoints'))).filter((n) => /tmp|old/.test(n))).toEqual(
      [],
    );
  });
});

test('a training that is stopped and goes on ends with the same bits', async () => {
  await withFolder((one) =>
    withFolder(async (other) => {
      await using whole = await openTinyTraining(one);
      await whole.trainer.open();
      await whole.trainer.run();
      {
        await using first = await openTinyTraining(other, { progressEvery: 1 });
        const stop = new AbortController();
        first.telemetry.listen(({ step }) => step === 22 && stop.abort());
        await first.trainer.open();
        expect(await first.trainer.run(stop.signal)).toMatchObject({ end: 'stopped', step: 23 });
      }
      await using second = await openTinyTraining(other);
      await second.trainer.open();
      expect(second.trainer.step).toBe(23);
      await second.trainer.run();
      expect(weightsOf(second.step)).toEqual(weightsOf(whole.step));
    }),
  );
});

test('a training that is killed ends with the same bits', { timeout: 60_000 }, async () => {
  expect(await killAndResume(3, 11)).toEqual({ kills: 3, isSame: true });
});

const spoilt = (from: number, to: number, value: number) =>
  tinyBatches((batch, { label }) => {
    if (batch >= from && batch <= to) (label!.data as Float32Array).fill(value);
  });

test('a batch that is not finite is rolled back, its batch skipped and the rate cut', async () => {
  await withFolder(async (folder) => {
    const batches = spoilt(26, 26, Number.NaN);
    await using training = await openTinyTraining(folder, { progressEvery: 1 }, { batches });
    const events = record(training);
    await training.trainer.open();
    expect(await training.trainer.run()).toMatchObject({ end: 'finished', step: 60 });
    const restored = events.find(({ name }) => name === 'tolaria.rollback.restored')!;
    expect(restored.attributes).toMatchObject({
      reason: 'governor_nonfinite',
      outcome: 'fast_hit',
      from_step: 25,
      to_step: 24,
      steps_lost: 1,
    });
    const rates = events
      .filter(({ name }) => name === 'training.progress')
      .map(({ attributes }) => [attributes.step, attributes.learning_rate]);
    const [before, after] = rates.filter(([step]) => step === 25).map(([, rate]) => Number(rate));
    expect(after).toBeCloseTo(before! / 2, 12);
    expect(training.trainer.emergencyLevel).toBe('none');
  });
});

test('a spike is refused; three in a row go back', async () => {
  await withFolder(async (folder) => {
    const batches = spoilt(31, 33, 1000);
    await using training = await openTinyTraining(folder, {}, { batches });
    const events = record(training);
    await training.trainer.open();
    await training.trainer.run();
    const told = namesOf(events).filter(
      (name) => name.startsWith('tolaria.') && !/checkpoint/.test(name),
    );
    expect(told).toEqual([
      'tolaria.step_refused',
      'tolaria.step_refused',
      'tolaria.rollback.restored',
      'tolaria.emergency.escalated',
      // The epoch it fell into has failed.
      'tolaria.emergency.escalated',
    ]);
  });
});

test('rollbacks one after another halt, and an operator can go on', async () => {
  await withFolder(async (folder) => {
    {
      await using training = await openTinyTraining(
        folder,
        {},
        { batches: spoilt(13, 99, Number.NaN) },
      );
      const events = record(training);
      await training.trainer.open();
      expect(await training.trainer.run()).toMatchObject({ end: 'halted', step: 12 });
      expect(namesOf(events)).toContain('tolaria.emergency.halt');
      expect(await readdir(join(folder, 'checkpoints'))).toContain('halt-step-000012');
    }
    await using resumed = await openTinyTraining(folder);
    await resumed.trainer.open();
    expect(await resumed.trainer.run()).toMatchObject({ end: 'finished', step: 60 });
  });
});

test('a rollback that misses its deadline halts and leaves the weights alone', async () => {
  await withFolder(async (folder) => {
    const rollback = { deadlineMs: 0, rateFactor: 0.5 };
    await using training = await openTinyTraining(folder, { rollback, epochs: 1 });
    await training.trainer.open();
    await training.trainer.run();
    const before = weightsOf(training.step);
    await using again = await openTinyTraining(folder, { rollback });
    const events = record(again);
    await again.trainer.open();
    again.trainer.requestRollback('drill');
    expect(await again.trainer.run()).toMatchObject({ end: 'halted', step: 10 });
    expect(again.telemetry.metrics.value(METRICS.deadlineExceeded)).toBe(1);
    const failed = events.find(({ name }) => name === 'tolaria.rollback.restore_failed')!;
    expect(failed.attributes.outcome).toBe('deadline_exceeded');
    expect(weightsOf(again.step)).toEqual(before);
  });
});

test('without a snapshot that fits, the checkpoint serves', async () => {
  await withFolder(async (folder) => {
    await using training = await openTinyTraining(folder, { snapshotBytes: 10 });
    const events = record(training);
    await training.trainer.open();
    training.trainer.requestRollback('drill');
    await training.trainer.run();
    expect(namesOf(events)).toContain('tolaria.rollback.snapshot_refused');
    const restored = events.find(({ name }) => name === 'tolaria.rollback.restored')!;
    expect(restored.attributes).toMatchObject({ outcome: 'full_hit', to_step: 0 });
  });
});

test('a checkpoint of another training, or a damaged one, is refused', async () => {
  await withFolder(async (folder) => {
    {
      await using training = await openTinyTraining(folder, { epochs: 1 });
      await training.trainer.open();
      await training.trainer.run();
    }
    await using other = await openTinyTraining(folder, { configHash: 'other' });
    await expect(other.trainer.open()).rejects.toThrow('written under other options or data');
    const base = { model: 'm', revision: 'r2' };
    await using elsewhere = await openTinyTraining(folder, { base });
    await expect(elsewhere.trainer.open()).rejects.toThrow('the run to m@r2');
    const path = join(folder, 'checkpoints/step-000010/optimizer.safetensors');
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    await using damaged = await openTinyTraining(folder);
    await expect(damaged.trainer.open()).rejects.toThrow('optimizer.safetensors: its sha256 is');
  });
});

test('patience ends a training that no longer gets better', async () => {
  await withFolder(async (folder) => {
    let value = 1;
    const validate = async () => ({ loss: ++value });
    await using training = await openTinyTraining(folder, { patience: 2 }, { validate });
    await training.trainer.open();
    expect(await training.trainer.run()).toEqual({
      end: 'early_stopped',
      step: 30,
      epoch: 3,
      best: { step: 10, value: 2 },
    });
  });
});

test('a control that fails makes the run conservative until a clean epoch', async () => {
  await withFolder(async (folder) => {
    const asked: boolean[] = [];
    const control = {
      epochEnded: async (_: unknown, isConservative: boolean) => {
        asked.push(isConservative);
        return { isHealthy: asked.length !== 2, isBreakerClosed: true };
      },
      alpha: () => undefined,
      rolledBack: () => {},
      state: () => ({}),
      load: () => {},
    };
    await using training = await openTinyTraining(folder, {}, { control });
    const events = record(training);
    await training.trainer.open();
    await training.trainer.run();
    expect(asked).toEqual([false, false, true, false, false, false]);
    expect(namesOf(events).filter((name) => /conservative/.test(name))).toEqual([
      'tolaria.conservative_mode_entered',
      'tolaria.conservative_mode_cleared',
    ]);
  });
});

/** A control that takes a while in its first epoch, and whose breaker is open in its second. */
const slowControl = () => {
  let epochs = 0;
  return {
    epochEnded: async () => {
      epochs++;
      if (epochs === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
      return { isHealthy: true, isBreakerClosed: epochs !== 2 };
    },
    alpha: () => undefined,
    rolledBack: () => {},
    state: () => ({}),
    load: () => {},
  };
};

test('a hook that exceeds its budget rolls back where budgets do', async () => {
  await withFolder(async (folder) => {
    const budgets = { hookMs: 20, rollsBack: true };
    await using training = await openTinyTraining(folder, { budgets }, { control: slowControl() });
    const events = record(training);
    await training.trainer.open();
    await training.trainer.run();
    expect(namesOf(events)).toContain('tolaria.hook_budget_exceeded');
    const [restored] = events.filter(({ name }) => name === 'tolaria.rollback.restored');
    expect(restored!.attributes.reason).toBe('hook_budget_exceeded');
  });
});

test('an open breaker keeps its level until the conservative mode is cleared, also over a restart', async () => {
  await withFolder(async (folder) => {
    const stop = new AbortController();
    const control = slowControl();
    const first = await openTinyTraining(folder, {}, { control });
    await first.trainer.open();
    first.telemetry.listen(({ name, epoch }) => {
      if (name === 'tolaria.conservative_mode_entered' && epoch === 2) stop.abort();
    });
    await first.trainer.run(stop.signal);
    expect([first.trainer.emergencyLevel, first.trainer.isConservative]).toEqual([
      'conservative',
      true,
    ]);
    await first[Symbol.asyncDispose]();
    await using second = await openTinyTraining(folder, {}, { control });
    await second.trainer.open();
    expect(second.trainer.isConservative).toBe(true);
    await second.trainer.run();
    expect(second.trainer.isConservative).toBe(false);
  });
});

test('a frozen parameter that changes halts the training before it is saved', async () => {
  await withFolder(async (folder) => {
    let checks = 0;
    const frozen = { check: async () => (++checks > 3 ? ['body.weight'] : []) };
    await using training = await openTinyTraining(
      folder,
      { checkpointEvery: undefined },
      { frozen },
    );
    const events = record(training);
    await training.trainer.open();
    const outcome = await training.trainer.run();
    // At the start, at the ends of two epochs, at that of the third.
    expect(outcome).toMatchObject({ end: 'halted', step: 30 });
    expect(namesOf(events)).toContain('tolaria.frozen_changed');
    expect((await readdir(join(folder, 'checkpoints'))).sort()).toContain('halt-step-000030');
  });
});
