/**
 * JSON of a file that nobody vouches for. `JSON.parse` keeps the last of two equal keys without a word, so
 * two readers of one file could see different tensors; and it builds whatever is nested, however deep.
 */

/** Headers and indexes nest two deep. */
const MAX_DEPTH = 8;

/** A hundred thousand tensors of any rank have fewer. */
const MAX_VALUES = 4_000_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const BLANK = new Set([0x20, 0x0a, 0x0d, 0x09]);

/** A value as a message shows it: at most a line. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
};

/** The place of the quote that ends the string; the text's length where none does. */
const closingQuote = (text: string, open: number): number => {
  let i = open + 1;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    i += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
};

/** A string is a key when a colon follows it. */
const isKey = (text: string, after: number): boolean => {
  let i = after;
  while (BLANK.has(text.charCodeAt(i))) i++;
  return text.charCodeAt(i) === COLON;
};

/** Keys are compared as what their escapes stand for. */
const keyAt = (text: string, open: number, end: number): string => {
  const raw = text.slice(open + 1, end);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
};

/** Walks over the tokens that matter, and throws SyntaxError for a second key or too much. */
const scan = (text: string): void => {
  /** The keys of each open level; undefined before the first. */
  const levels: (Set<string> | undefined)[] = [];
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = closingQuote(text, i);
      if (isKey(text, end + 1)) addKey(levels, keyAt(text, i, end));
      i = end;
    } else if (code === OPENING_BRACE || code === OPENING_BRACKET) {
      if (levels.push(undefined) > MAX_DEPTH) {
        throw new SyntaxError(`nested more than ${MAX_DEPTH} deep`);
      }
    } else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) {
      levels.pop();
    } else if (code === COMMA && ++values > MAX_VALUES) {
      throw new SyntaxError(`more than ${MAX_VALUES} values`);
    }
  }
};

const addKey = (levels: (Set<string> | undefined)[], key: string): void => {
  const top = levels.length - 1;
  const keys = levels[top] ?? new Set();
  if (keys.has(key)) throw new SyntaxError(`${shown(key)} is listed twice`);
  levels[top] = keys.add(key);
};

/**
 * The value of a JSON text.
 *
 * @throws SyntaxError for a text that is no JSON, has an object with two equal keys, nests too deep or lists too much
 */
export const parseStrictJson = (text: string): unknown => {
  scan(text);
  return JSON.parse(text);
};
