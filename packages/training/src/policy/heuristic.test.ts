import { describe, expect, test } from 'vitest';
import { HeuristicPolicy } from './heuristic.ts';
import { runState, seedState } from './testing.ts';

const policy = (): HeuristicPolicy => new HeuristicPolicy({ blueprints: ['a', 'b', 'c'] }, () => 0);

describe('germinates', () => {
  test('on a plateau', () => {
    expect(policy().decide(runState())).toEqual({
      kind: 'GERMINATE',
      slot: 'slot-1',
      blueprint: 'a',
    });
  });

  test.each([
    ['before epoch 5', runState({ epoch: 4, validationLosses: [1, 1, 1, 1, 1] })],
    ['while the host improves', runState({ validationLosses: [1, 0.9, 0.8, 0.7, 0.6] })],
    [
      'while one of three epochs made progress',
      runState({ validationLosses: [1, 1, 0.99, 0.99, 0.99] }),
    ],
    ['soon after a cull', runState({ epochsSinceCull: 4 })],
    ['into a slot that is taken', runState({}, seedState())],
    ['when a loss was not finite', runState({ validationLosses: [1, 1, Number.NaN, 1] })],
  ])('not %s', (_, state) => {
    expect(policy().decide(state).kind).toBe('WAIT');
  });

  test('in rotation, without blueprints that were culled of late', () => {
    const one = policy();
    const picked = (epoch: number) => {
      const intent = one.decide(runState({ epoch }));
      return 'blueprint' in intent ? intent.blueprint : undefined;
    };
    const cull = (id: string, epoch: number) =>
      one.decide(runState({ epoch }, seedState({ id, blueprint: 'b', stage: 'CULLED' })));
    expect([picked(8), picked(9)]).toEqual(['a', 'b']);
    cull('seed-1', 10);
    cull('seed-2', 10);
    cull('seed-2', 10);
    expect(one.penaltyOf('b')).toBe(4);
    expect([picked(10), picked(11), picked(12)]).toEqual(['c', 'a', 'c']);
    expect(one.penaltyOf('b')).toBe(3);
    picked(13);
    expect([one.penaltyOf('b'), picked(13)]).toEqual([2.5, 'b']);
  });
});

describe('a seed', () => {
  test.each([
    ['starts to train', { stage: 'GERMINATED' }, 'ADVANCE'],
    ['trains on', { improvement: 0.004 }, 'WAIT'],
    ['advances when it improved', { improvement: 0.005 }, 'ADVANCE'],
    ['is culled when worse for 5 epochs', { epochsInStage: 5, improvement: -0.02 }, 'CULL'],
    ['is not culled early', { epochsInStage: 4, improvement: -0.5 }, 'WAIT'],
    ['is culled when no gate lets it on', { epochsInStage: 20 }, 'CULL'],
    ['gets its ramp', { stage: 'BLENDING' }, 'SET_ALPHA'],
    ['blends on', { stage: 'BLENDING', alpha: 0.4, alphaTarget: 1 }, 'WAIT'],
    ['holds', { stage: 'BLENDING', alpha: 1, alphaTarget: 1, epochsInStage: 10 }, 'ADVANCE'],
    ['waits to be measured', { stage: 'HOLDING' }, 'WAIT'],
    ['stays when it contributes', { stage: 'HOLDING', contribution: 0.006 }, 'FOSSILIZE'],
    ['is not kept for less', { stage: 'HOLDING', contribution: 0.005 }, 'WAIT'],
  ] as const)('%s', (_, over, kind) => {
    expect(policy().decide(runState({}, seedState(over))).kind).toBe(kind);
  });
});

test('goes on from its state as if nothing happened', () => {
  const first = policy();
  first.decide(runState());
  first.decide(runState({ epoch: 9 }, seedState({ stage: 'CULLED', blueprint: 'b' })));
  const second = policy();
  second.load(JSON.parse(JSON.stringify(first.state())));
  for (let epoch = 10; epoch < 20; epoch++) {
    expect(second.decide(runState({ epoch }))).toEqual(first.decide(runState({ epoch })));
  }
});
