/** Timestamps of binary formats as ISO texts without a zone: `2024-01-01T00:00:00`, `.5` only where there is more. */

/** From a count of units since 1970, `perSecond` of them a second. */
export const isoOfCount = (count: bigint, perSecond: bigint): string => {
  const second = count / perSecond - (count % perSecond < 0n ? 1n : 0n);
  const fraction = count - second * perSecond;
  const width = String(perSecond).length - 1;
  const tail = fraction === 0n ? '' : `.${String(fraction).padStart(width, '0')}`;
  return `${new Date(Number(second) * 1000).toISOString().slice(0, 19)}${tail}`;
};

/** From milliseconds since 1970, to the microsecond. */
export const isoOfMilliseconds = (milliseconds: number): string =>
  Number.isInteger(milliseconds)
    ? isoOfCount(BigInt(milliseconds), 1000n)
    : isoOfCount(BigInt(Math.round(milliseconds * 1000)), 1_000_000n);

/** `2024-01-01` */
export const isoOfDay = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 10);

const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Milliseconds since 1970 of an ISO text, one without a zone read as UTC; undefined for anything else. */
export const millisecondsOfIso = (text: string): number | undefined => {
  const match = ISO.exec(text.trim());
  if (!match) return undefined;
  const zoned = match[1] !== undefined || text.trim().length === 10 ? text : `${text}Z`;
  const milliseconds = Date.parse(zoned.trim().replace(' ', 'T'));
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
};
