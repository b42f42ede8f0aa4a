/**
 * The same value with its typed arrays as plain lists: JSON would write those as objects of their indices.
 *
 * @example
 * plainNumbers({ mean: Float32Array.of(1, 2) }); // { mean: [1, 2] }
 */
export const plainNumbers = (value: unknown): unknown => {
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, plainNumbers(own)]));
};
