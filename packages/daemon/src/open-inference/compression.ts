import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';

const ENCODERS = { gzip: promisify(gzip), deflate: promisify(deflate) };

/** Below this an answer is smaller than what compressing it costs. */
const LEAST_BYTES = 1024;

export interface Compressed {
  readonly body: Uint8Array;
  readonly encoding: keyof typeof ENCODERS | undefined;
}

/** gzip or deflate, whichever the client accepts first; as it is where it accepts neither. */
export const compressed = async (
  body: Uint8Array,
  accepted: string | undefined,
): Promise<Compressed> => {
  const names = (accepted ?? '').split(',').flatMap((part) => {
    const [name = '', quality = ''] = part.split(';');
    return /q\s*=\s*0(?:\.0*)?\s*$/.test(quality) ? [] : [name.trim().toLowerCase()];
  });
  const encoding = names.find((name) => name === 'gzip' || name === 'deflate');
  if (!encoding || body.length < LEAST_BYTES) return { body, encoding: undefined };
  return { body: await ENCODERS[encoding](body), encoding };
};
