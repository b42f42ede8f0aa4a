/** Request bodies of a bench: each a random walk of 288 probabilities, the same on every run. */

const POINTS = 288;
const HORIZON = 12;

/** A small generator of numbers in [0, 1), by Park and Miller. */
const generator = (seed: number): (() => number) => {
  let state = (seed * 48_271 + 11) % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

const START_MS = Date.UTC(2026, 1, 20);

export const benchRequest = (index: number) => {
  const random = generator(index + 1);
  let value = 0.45;
  const y = Array.from({ length: POINTS }, () => {
    value = Math.min(0.95, Math.max(0.05, value + (random() - 0.5) * 0.02));
    return Number(value.toFixed(6));
  });
  return {
    market_id: `bench-${index}`,
    as_of_ts: new Date(START_MS + index * 60_000).toISOString(),
    freq: '5m',
    horizon_steps: HORIZON,
    quantiles: [0.1, 0.5, 0.9],
    y,
    transform: { space: 'logit', eps: 1e-6 },
    model: { provider: 'tollama', model_name: 'chronos', params: {} },
  };
};

/** What the upstream of a bench answers: a band in log odds. */
export const benchQuantiles = (): Readonly<Record<string, readonly number[]>> => ({
  '0.1': Array.from({ length: HORIZON }, () => -0.7),
  '0.5': Array.from({ length: HORIZON }, () => -0.2),
  '0.9': Array.from({ length: HORIZON }, () => 0.3),
});
