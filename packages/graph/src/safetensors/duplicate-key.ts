/**
 * The first key that a JSON object holds twice at its top level. `JSON.parse` keeps the last one without a
 * word, so two readers of one file could see different tensors.
 *
 * @param text valid JSON of an object
 */
export const duplicateKey = (text: string): string | undefined => {
  const seen = new Set<string>();
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      const end = closingQuote(text, i);
      if (depth === 1 && isKey(text, end + 1)) {
        const key = JSON.parse(text.slice(i, end + 1)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
      }
      i = end;
    }
  }
  return undefined;
};

const closingQuote = (text: string, open: number): number => {
  let i = open + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
};

/** A string at depth one is a key when a colon follows it. */
const isKey = (text: string, after: number): boolean => {
  let i = after;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
};
