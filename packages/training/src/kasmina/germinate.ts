/** From a blueprint to tensors that fit a slot: the adapter is prefetched, and what G0 asks about is found out. */
import type { TensorValue } from '@tollama/graph';
import { type GateResult, sanityGate } from '../lifecycle/gates.ts';
import type { Lease } from '../prefetch/adapter-cache.ts';
import type { PreparedAdapter } from '../prefetch/adapter-loader.ts';
import type { End } from '../prefetch/prefetcher.ts';
import type { SeedManagerOptions } from './kasmina-options.ts';
import type { Slot } from './seed-plan.ts';
import { seedValues, tensorsOf } from './slot-tensors.ts';

export interface Germination {
  readonly id: string;
  readonly blueprint: string;
  readonly end: End;
  readonly failure: string | undefined;
  readonly lease: Lease<PreparedAdapter> | undefined;
  /** Under the seed's names; empty when the adapter did not come. */
  readonly values: ReadonlyMap<string, TensorValue>;
}

export const germinationEvidence = async (
  { prefetcher, keyOf, graph, runId }: SeedManagerOptions,
  { id, slot, blueprint }: { readonly id: string; readonly slot: Slot; readonly blueprint: string },
): Promise<Germination> => {
  const key = keyOf(slot.name, blueprint);
  const result = await prefetcher.prefetch({ key, runId, isUrgent: true });
  const base = { id, blueprint, end: result.end };
  if (!('lease' in result)) {
    const failure = result.end === 'error' ? result.failure : result.end;
    return { ...base, failure, lease: undefined, values: new Map() };
  }
  const { lease } = result;
  const tensors = tensorsOf(graph, slot, blueprint, id);
  const values = seedValues(tensors, id, lease.value.tensors);
  return { ...base, failure: undefined, lease, values };
};

const areFinite = (values: Germination['values']): boolean =>
  [...values.values()].every(({ data }) => (data as Float32Array).every(Number.isFinite));

export const germinationGate = (
  { id, blueprint, failure, values }: Germination,
  place: {
    readonly isSlotEmpty: boolean;
    readonly isEmbargoed: boolean;
    readonly parametersAfter: number;
    readonly parameterBudget: number;
  },
): GateResult =>
  sanityGate({
    seedId: id,
    blueprint,
    ...place,
    areParametersFinite: areFinite(values),
    doShapesFit: failure !== 'shape_mismatch',
    isPrefetched: failure === undefined,
    isChecksumRight: failure !== 'checksum_mismatch',
  });
