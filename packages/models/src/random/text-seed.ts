/** A seed of 32 bits for a text: FNV-1a over its characters, mixed with a seed of the caller. */
export const textSeed = (text: string, seed: number): number => {
  let hash = 0x811c9dc5 ^ seed;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return hash >>> 0;
};
