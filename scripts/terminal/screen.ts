/** What a terminal shows after a stream of text: cells with their style. Knows what our commands write. */

export interface Style {
  readonly color: string | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

export interface Cell extends Style {
  readonly text: string;
}

const PLAIN: Style = { color: undefined, isBold: false, isDim: false };

const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

const afterCode = (style: Style, code: number): Style => {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, isBold: true };
  if (code === 2) return { ...style, isDim: true };
  if (code === 22) return { ...style, isBold: false, isDim: false };
  if (code === 39) return { ...style, color: undefined };
  if (code >= 30 && code <= 37) return { ...style, color: COLORS[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, color: `bright-${COLORS[code - 90]}` };
  return style;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this reads
const TOKEN = /\u001b\[([?\d;]*)([a-zA-Z])|\u001b\][^\u0007]*\u0007|([\s\S])/gu;

/** Lines of at most so many cells. Text after a carriage return overwrites; `ESC[K` clears the rest of a line. */
export const screenOf = (output: string, columns: number): readonly (readonly Cell[])[] => {
  const lines: Cell[][] = [[]];
  let style = PLAIN;
  let column = 0;
  for (const [, codes, command, character] of output.matchAll(TOKEN)) {
    if (character !== undefined && !'\r\n'.includes(character) && column === columns) {
      lines.push([]);
      column = 0;
    }
    const line = lines.at(-1)!;
    if (command === 'm')
      style = (codes || '0').split(';').reduce((now, code) => afterCode(now, Number(code)), style);
    else if (command === 'K') line.length = Math.min(line.length, column);
    else if (character === '\n') lines.push([]);
    if (character === '\n' || character === '\r') column = 0;
    else if (character !== undefined) {
      while (line.length < column) line.push({ ...PLAIN, text: ' ' });
      line[column++] = { ...style, text: character };
    }
  }
  while (lines.length > 1 && lines.at(-1)!.length === 0) lines.pop();
  return lines;
};
