/** Who asks: the token of a request, and whether it is the right one. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface Caller {
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  readonly address: string;
}

/** Values that stand in examples; as the expected token they let nobody in. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  'changeme',
  'changemeplease',
  'your-token',
  'demo-token',
  'dev-token',
  'tsfm-dev-token',
  'example',
  'placeholder',
]);

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** `Authorization: Bearer T` before `X-API-Key: T`. */
export const tokenOf = ({ authorization, apiKey }: Caller): string | undefined => {
  const bearer = /^bearer\s+(.+)$/i.exec(authorization?.trim() ?? '')?.[1]?.trim();
  return bearer || apiKey?.trim() || undefined;
};

/** Compares with the token that is expected, in a time that does not tell how close it was. */
export class TokenCheck {
  readonly #expected: Buffer | undefined;

  constructor(expected: string | undefined) {
    const token = expected?.trim() ?? '';
    this.#expected = PLACEHOLDERS.has(token.toLowerCase()) ? undefined : sha256(token);
  }

  accepts(token: string | undefined): boolean {
    if (this.#expected === undefined || token === undefined) return false;
    return timingSafeEqual(sha256(token), this.#expected);
  }
}

/** The name that requests are counted under; it does not tell the token. */
export const identityOfCaller = (caller: Caller): string => {
  const token = tokenOf(caller);
  return token === undefined
    ? `ip:${caller.address}`
    : `token:${sha256(token).toString('base64url')}`;
};
