/** Takes secrets out of what is shown or logged; used once, at the logger and at `/api/info`. */

const SECRET_KEY = /token|secret|password|authorization|api_key|apikey/i;
const MASK = '***';

const redactProxy = (url: string): string =>
  url.replace(
    /^([a-z][\w+.-]*:\/\/)?([^@/]*)@/i,
    (_, scheme: string | undefined, login: string) =>
      `${scheme ?? ''}${login.includes(':') ? `${MASK}:${MASK}` : MASK}@`,
  );

/** Under a key that names a proxy, everything is one: `{https_proxy: {value, source}}`. */
const redactUnder = (value: unknown, key: string, isProxy: boolean): unknown => {
  if (SECRET_KEY.test(key) && !key.endsWith('_present')) return value === null ? null : MASK;
  if (typeof value === 'string') return isProxy ? redactProxy(value) : value;
  if (Array.isArray(value)) return value.map((item) => redactUnder(item, key, isProxy));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        redactUnder(inner, name, isProxy || /proxy/i.test(name)),
      ]),
    );
  }
  return value;
};

/** A copy of JSON-like data without secrets; keys that end in `_present` only tell of presence. */
export const redact = (value: unknown, key = ''): unknown =>
  redactUnder(value, key, /proxy/i.test(key));
