/** Left-aligned plain columns, four spaces between, no borders. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(i === cells.length - 1 ? 0 : widths[i]! + 4))
      .join('')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
};
