import { fc } from '@fast-check/vitest';
import { TollamaError } from '@tollama/core/errors';
import { describe, expect, test } from 'vitest';
import { EDGES, edgeBetween, type Gate, STAGES, type Stage } from '../contracts/stages.ts';
import type { GateResult } from './gates.ts';
import { Lifecycle } from './lifecycle.ts';

const result = (gate: Gate, passed: boolean): GateResult => ({
  gate,
  passed,
  score: passed ? 1 : 0,
  checks_passed: [],
  checks_failed: passed ? [] : ['a check'],
  message: '',
});

interface Model {
  stage: Stage;
}

/** One request of a move, with gates that pass or not. */
class Move implements fc.Command<Model, Lifecycle> {
  readonly to: Stage;
  readonly doGatesPass: boolean;

  constructor(to: Stage, doGatesPass: boolean) {
    this.to = to;
    this.doGatesPass = doGatesPass;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Lifecycle): void {
    const edge = edgeBetween(model.stage, this.to);
    const options = {
      epoch: 1,
      reason: 'a test',
      judge: (gate: Gate) => result(gate, this.doGatesPass),
    };
    if (!edge) expect(() => real.move(this.to, options)).toThrow(TollamaError);
    else {
      const moves = edge.gates.length === 0 || this.doGatesPass;
      expect(real.move(this.to, options).kind).toBe(moves ? 'moved' : 'held');
      if (moves) model.stage = this.to;
    }
    expect(real.stage).toBe(model.stage);
  }

  toString(): string {
    return `move(${this.to}, gates ${this.doGatesPass ? 'pass' : 'fail'})`;
  }
}

test('any sequence of requests moves along the table and nowhere else', () => {
  const move = fc
    .tuple(fc.constantFrom(...STAGES), fc.boolean())
    .map(([to, ok]) => new Move(to, ok));
  fc.assert(
    fc.property(fc.commands([move], { maxCommands: 60 }), (commands) => {
      fc.modelRun(
        () => ({ model: { stage: 'DORMANT' as Stage }, real: new Lifecycle() }),
        commands,
      );
    }),
  );
});

describe('edges of the table', () => {
  test.each(EDGES.filter(({ gates }) => gates.length > 0))(
    '$from -> $to asks its gates',
    ({ from, to, gates }) => {
      const slot = new Lifecycle();
      slot.load({ stage: from, enteredEpoch: 0 });
      const asked: Gate[] = [];
      slot.move(to, {
        epoch: 1,
        judge: (gate) => {
          asked.push(gate);
          return result(gate, true);
        },
      });
      expect(asked).toEqual(gates);
      slot.load({ stage: from, enteredEpoch: 0 });
      expect(() => slot.move(to, { epoch: 1 })).toThrow(/was not judged/);
      expect(slot.stage).toBe(from);
    },
  );

  test('a refusal names what comes next', () => {
    const slot = new Lifecycle();
    expect(() => slot.move('BLENDING', { epoch: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', hint: 'next is GERMINATED' }),
    );
    slot.load({ stage: 'FOSSILIZED', enteredEpoch: 0 });
    expect(() => slot.move('CULLED', { epoch: 9, reason: 'governor_divergence' })).toThrow(
      expect.objectContaining({ hint: 'FOSSILIZED is the end of its life' }),
    );
  });

  test('a cull says why', () => {
    const slot = new Lifecycle();
    slot.load({ stage: 'TRAINING', enteredEpoch: 0 });
    expect(() => slot.move('CULLED', { epoch: 1 })).toThrow('a cull without a reason');
    expect(slot.stage).toBe('TRAINING');
  });
});
