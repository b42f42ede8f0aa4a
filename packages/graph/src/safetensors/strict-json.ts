/**
 * JSON of a file that nobody vouches for. `JSON.parse` keeps the last of two equal keys without a word, so
 * two readers of one file could see different tensors; and it builds whatever is nested, however deep.
 */

/** Headers and indexes nest two deep. */
const MAX_DEPTH = 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
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

/** Walks over the tokens that matter, and throws SyntaxError for a second key or another level. */
const scan = (text: string): void => {
  const objects: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (OPEN.has(code)) {
      if (objects.push(new Set()) > MAX_DEPTH) {
        throw new SyntaxError(`nested more than ${MAX_DEPTH} deep`);
      }
    } else if (CLOSE.has(code)) {
      objects.pop();
    } else if (code === QUOTE) {
      const end = closingQuote(text, i);
      const keys = objects.at(-1);
      if (keys && isKey(text, end + 1)) {
        const key = keyAt(text, i, end);
        if (keys.has(key)) throw new SyntaxError(`${shown(key)} is listed twice`);
        keys.add(key);
      }
      i = end;
    }
  }
};

/**
 * The value of a JSON text.
 *
 * @throws SyntaxError for a text that is no JSON, has an object with two equal keys, or nests too deep
 */
export const parseStrictJson = (text: string): unknown => {
  scan(text);
  return JSON.parse(text);
};
