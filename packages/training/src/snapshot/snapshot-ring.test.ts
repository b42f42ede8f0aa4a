import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { SnapshotRing } from './snapshot-ring.ts';

const operation = fc.record({
  step: fc.nat(20),
  bytes: fc.option(fc.integer({ min: 1, max: 60 })),
});

property.prop([fc.array(operation, { maxLength: 100 })])(
  'never above its bytes; the answer is the nearest step at or before',
  (operations) => {
    const ring = new SnapshotRing<number>(100);
    const sizes = new Map<number, number>();
    for (const { step, bytes } of operations) {
      if (bytes === null) {
        const before = [...sizes.keys()].filter((one) => one <= step);
        expect(ring.nearest(step)?.step).toBe(before.length > 0 ? Math.max(...before) : undefined);
      } else {
        sizes.delete(step);
        sizes.set(step, bytes);
        for (const evicted of ring.put(step, step, bytes).evicted) sizes.delete(evicted);
      }
      const held = [...sizes.values()].reduce((a, b) => a + b, 0);
      expect(ring.sizeBytes).toBe(held);
      expect(held).toBeLessThanOrEqual(100);
      expect(new Set(ring.steps)).toEqual(new Set(sizes.keys()));
    }
  },
);
