/** The recorder of terminal sessions: what a terminal would show, and that as SVG. */
import { expect, test } from 'vitest';
import { screenOf } from '../scripts/terminal/screen.ts';
import { terminalSvg } from '../scripts/terminal/svg.ts';

const text = (output: string, columns = 80): string[] =>
  screenOf(output, columns).map((line) => line.map((cell) => cell.text).join(''));

test('lines, carriage returns, clearing and wrapping', () => {
  expect(text('one\r\ntwo\n')).toEqual(['one', 'two']);
  expect(text('spinner 1\r\u001b[Kdone\n')).toEqual(['done']);
  expect(text('abcdef\rxy')).toEqual(['xycdef']);
  expect(text('abcdef\ng', 4)).toEqual(['abcd', 'ef', 'g']);
  expect(text('abcd\ng', 4)).toEqual(['abcd', 'g']);
  expect(text('\u001b[?25l\u001b]0;title\u0007x')).toEqual(['x']);
});

test('styles', () => {
  const [line] = screenOf('\u001b[1;32ma\u001b[22mb\u001b[39mc\u001b[90md\u001b[0me', 80);
  expect(line!.map(({ color, isBold }) => [color, isBold])).toEqual([
    ['green', true],
    ['green', false],
    [undefined, false],
    ['bright-black', false],
    [undefined, false],
  ]);
});

test('a picture: runs of one style, escaped, wide characters in their own cells', () => {
  const svg = terminalSvg(screenOf('a <b>  c\n\u001b[36m⠤⠒\u001b[0m', 10), {
    columns: 10,
    title: 'x & y',
  });
  expect(svg).toContain('>a &lt;b&gt;</text>');
  expect(svg).toContain('>c</text>');
  expect(svg).toMatch(/<text x="16 24.4" y="[\d.]+" fill="#56d4dd">⠤⠒<\/text>/);
  expect(svg).toContain('aria-label="x &amp; y"');
});
