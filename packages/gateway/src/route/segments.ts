/** Which segment of the market a request belongs to, and the route that the policy has for it. */

export interface SegmentFields {
  readonly category?: string | null | undefined;
  readonly liquidity_bucket?: string | null | undefined;
  readonly tte_bucket?: string | null | undefined;
}

export interface RoutePolicy {
  readonly default_route: 'tsfm' | 'baseline';
  readonly enabled_segments: readonly string[];
  readonly baseline_segments: readonly string[];
}

export interface Route {
  readonly selected: 'tsfm' | 'baseline';
  readonly reason: string;
  readonly segmentKey: string | null;
}

const UNKNOWN = 'unknown';

/** Keys of a request's segments, the most specific first. */
export const segmentCandidates = (fields: SegmentFields): readonly string[] => {
  const category = `category=${fields.category || UNKNOWN}`;
  const liquidity = `liquidity_bucket=${fields.liquidity_bucket || UNKNOWN}`;
  const expiry = `tte_bucket=${fields.tte_bucket || UNKNOWN}`;
  return [
    `${category}|${liquidity}|${expiry}`,
    `${category}|${liquidity}`,
    `${liquidity}|${expiry}`,
    `${category}|${expiry}`,
    category,
    liquidity,
    expiry,
  ];
};

/** Baseline segments first, then enabled ones, then the default. */
export const selectRoute = (policy: RoutePolicy, candidates: readonly string[]): Route => {
  const firstIn = (keys: readonly string[]): string | undefined =>
    candidates.find((candidate) => keys.includes(candidate));
  const barred = firstIn(policy.baseline_segments);
  if (barred !== undefined) {
    return { selected: 'baseline', reason: 'policy_segment_baseline', segmentKey: barred };
  }
  if (policy.enabled_segments.length > 0) {
    const enabled = firstIn(policy.enabled_segments);
    if (enabled !== undefined) {
      return { selected: 'tsfm', reason: 'policy_segment_enabled', segmentKey: enabled };
    }
    const selected = policy.default_route;
    return { selected, reason: `policy_default_${selected}`, segmentKey: null };
  }
  return policy.default_route === 'baseline'
    ? { selected: 'baseline', reason: 'policy_default_baseline', segmentKey: null }
    : { selected: 'tsfm', reason: 'default', segmentKey: null };
};
