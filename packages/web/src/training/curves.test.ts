import { expect, test } from 'vitest';
import { NO_CURVES, withEvent } from './curves.ts';

test('events become curves and notes', () => {
  const events: readonly (readonly [string, Record<string, unknown>])[] = [
    ['training.progress', { attributes: { loss: 2 }, level: 'info' }],
    ['training.progress', { attributes: { loss: 1 }, level: 'info' }],
    ['training.epoch', { attributes: { epoch: 1, train_loss: 1.5 }, level: 'info' }],
    ['tolaria.checkpoint.written', { attributes: { name: 'step-000010' }, level: 'info' }],
    [
      'tolaria.rollback.restored',
      { seq: 9, step: 12, attributes: { reason: 'governor_nonfinite' }, level: 'warning' },
    ],
  ];
  const curves = events.reduce((before, [name, data]) => withEvent(before, name, data), NO_CURVES);
  expect(curves).toEqual({
    losses: [2, 1],
    epochs: [{ epoch: 1, training: 1.5, validation: undefined }],
    notes: [{ seq: 9, text: 'step 12: tolaria.rollback.restored, governor_nonfinite' }],
  });
});
