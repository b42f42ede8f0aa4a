/** Models that suit a request, installed or not. */
import type { PipelineRequest } from '@tollama/core/forecast-variants';
import { STAND_INS, toCandidate } from '../auto/candidates.ts';
import { demandOf, rank } from '../auto/rank.ts';
import type { DaemonContext } from '../context.ts';

export const recommend = async (
  { series, horizon, strategy, recommend_top_k, allow_restricted_license }: PipelineRequest,
  { store, registry }: Pick<DaemonContext, 'store' | 'registry'>,
) => {
  const [entries, manifests] = [await registry.entries(), await store.list()];
  const installed = new Map(manifests.map((manifest) => [manifest.name, manifest]));
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  const all = [
    ...manifests.map((manifest) => toCandidate(manifest, true)),
    ...entries.filter(({ name }) => !installed.has(name)).map((entry) => toCandidate(entry, false)),
    ...STAND_INS.filter(({ model }) => !known.has(model)),
  ];
  // A licence that was accepted restricts nobody any more.
  const isRestricted = ({ needsAcceptance, isInstalled }: (typeof all)[number]): boolean =>
    needsAcceptance && !isInstalled && !allow_restricted_license;
  const demand = demandOf(series, horizon);
  const open = all.filter((candidate) => !isRestricted(candidate));
  // The mock forecasts nothing; it is there for tests of clients.
  const { ranked, excluded } = rank(
    open.filter(({ family }) => family !== 'mock'),
    demand,
    strategy,
  );
  const isInstalled = new Map(all.map((candidate) => [candidate.model, candidate.isInstalled]));
  return {
    request: {
      horizon,
      series_count: demand.seriesCount,
      longest_history: demand.longestHistory,
      covariates: demand.covariates,
    },
    recommendations: ranked.slice(0, recommend_top_k).map((one) => ({
      ...one,
      installed: isInstalled.get(one.model) ?? false,
    })),
    total_candidates: ranked.length,
    excluded: [
      ...excluded,
      ...all.filter(isRestricted).map(({ model, family }) => ({
        model,
        family,
        reason: 'its licence must be accepted; allow_restricted_license admits it',
      })),
    ],
  };
};

export type Recommendation = Awaited<ReturnType<typeof recommend>>;
