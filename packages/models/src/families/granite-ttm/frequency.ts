/** Tokens of the sampling frequencies that the checkpoints with frequency prefix tuning know. */
export const FREQUENCY_TOKENS: Readonly<Record<string, number>> = {
  oov: 0,
  min: 1,
  '2min': 2,
  '5min': 3,
  '10min': 4,
  '15min': 5,
  '30min': 6,
  h: 7,
  H: 7,
  d: 8,
  D: 8,
  W: 9,
};

/**
 * The token of a pandas frequency alias, 0 for one that is not among them. As in the reference, which
 * does not know that 60min is an hour or W-SUN a week; minutes may also be spelled T, as they were.
 *
 * @example
 * frequencyToken('15min'); // 5
 */
export const frequencyToken = (alias: string): number => {
  const spelled = alias
    .trim()
    .replace(/T$/, 'min')
    .replace(/^1(?=[^\dW])/, '');
  return Object.hasOwn(FREQUENCY_TOKENS, spelled) ? FREQUENCY_TOKENS[spelled]! : 0;
};
