/** Globs over the keys of a bucket, which know no folders: `*` stops at a slash, `**` does not. */

const SPECIAL = /[*?[{]/;

/** The part of a pattern before its first special character: what a listing is asked for. */
export const fixedPrefix = (pattern: string): string => pattern.split(SPECIAL, 1)[0]!;

/** Whether a text has special characters. */
export const isPattern = (text: string): boolean => SPECIAL.test(text);

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const TOKEN = /\*\*\/|\*\*|\*|\?|\[[!^]?[^\]]+\]|\{[^{}]*\}|[\s\S]/g;

const sourceOf = (pattern: string): string =>
  (pattern.match(TOKEN) ?? [])
    .map((token) => {
      if (token === '**/') return '(?:.*/)?';
      if (token === '**') return '.*';
      if (token === '*') return '[^/]*';
      if (token === '?') return '[^/]';
      if (token.length > 2 && token.startsWith('[')) {
        const inner = token.slice(1, -1).replace(/\\/g, '\\\\').replace(/^[!^]/, '^');
        return `[${inner}]`;
      }
      if (token.length > 1) return `(?:${token.slice(1, -1).split(',').map(sourceOf).join('|')})`;
      return escaped(token);
    })
    .join('');

/** Whether a key matches: `*`, `**`, `?`, `[a-z]`, `{one,other}`. */
export const keyMatcher = (pattern: string): ((key: string) => boolean) => {
  const expression = new RegExp(`^${sourceOf(pattern)}$`, 's');
  return (key) => expression.test(key);
};
