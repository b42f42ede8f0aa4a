/** What can be grown in a slot. */

export type Blueprint =
  | { readonly kind: 'lora'; readonly rank: number; readonly targets: 'query-value' | 'all' }
  | { readonly kind: 'bottleneck'; readonly width: number }
  | { readonly kind: 'head' };

const RANKS = [2, 4, 8, 16] as const;

const loraBlueprints = (targets: 'query-value' | 'all'): [string, Blueprint][] =>
  RANKS.map((rank) => [
    `lora-r${rank}-${targets === 'all' ? 'all' : 'qv'}`,
    { kind: 'lora', rank, targets },
  ]);

/** By id, in the order in which the heuristic policy tries them. */
export const BLUEPRINTS: ReadonlyMap<string, Blueprint> = new Map<string, Blueprint>([
  ...loraBlueprints('query-value'),
  ...loraBlueprints('all'),
  ['bottleneck-8', { kind: 'bottleneck', width: 8 }],
  ['head', { kind: 'head' }],
]);
