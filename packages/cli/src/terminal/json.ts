/** JSON on stdout. */

declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** Forecast values are floats: 5 prints as 5.0, as other tools of the field print it. */
function floatsInArrays(this: unknown, _key: string, value: unknown): unknown {
  const isWhole = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e15;
  return isWhole && Array.isArray(this) ? JSON.rawJSON(`${value}.0`) : value;
}

/** One line. */
export const forecastJson = (value: unknown): string => JSON.stringify(value, floatsInArrays);

/** Indented, for people who read it. */
export const prettyJson = (value: unknown): string => JSON.stringify(value, undefined, 2);

export const printJson = (value: unknown): void => {
  process.stdout.write(`${prettyJson(value)}\n`);
};
