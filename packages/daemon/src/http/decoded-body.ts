/** Bodies that may be compressed, limited before and after they are decoded. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions, zstdDecompress } from 'node:zlib';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { readBytes } from './body-bytes.ts';

type Decode = (bytes: Uint8Array, options: ZlibOptions) => Promise<Buffer>;

const DECODERS: Readonly<Record<BodyEncoding, Decode>> = {
  zstd: promisify(zstdDecompress) as Decode,
  gzip: promisify(gunzip) as Decode,
  'x-gzip': promisify(gunzip) as Decode,
  deflate: promisify(inflate) as Decode,
  br: promisify(brotliDecompress) as Decode,
};

export type BodyEncoding = 'zstd' | 'gzip' | 'x-gzip' | 'deflate' | 'br';

export interface DecodeOptions {
  readonly maxBytes: number;
  /** What may be sent; all by default. */
  readonly encodings?: readonly BodyEncoding[];
}

const ALL = ['zstd', 'gzip', 'x-gzip', 'deflate', 'br'] as const;

const decodeOnce = async (
  encoding: string,
  bytes: Uint8Array,
  { maxBytes, encodings = ALL }: DecodeOptions,
): Promise<Buffer> => {
  const known = encodings.find((name) => name === encoding);
  const decode = known && DECODERS[known];
  if (!decode) {
    throw new TollamaError(
      'UNSUPPORTED_ENCODING',
      `content-encoding '${encoding}' is not supported`,
      {
        hint: `use ${encodings.join(', ')}, or none`,
      },
    );
  }
  try {
    return await decode(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      const limit = Math.round(maxBytes / 1024 / 1024);
      throw new TollamaError('BODY_TOO_LARGE', `the decoded body is larger than ${limit} MB`, {
        cause,
      });
    }
    throw new TollamaError(
      'INVALID_REQUEST',
      `the body is not valid ${encoding}: ${errorMessage(cause)}`,
      { cause },
    );
  }
};

/**
 * The body as it was before it was compressed.
 *
 * @throws TollamaError BODY_TOO_LARGE, UNSUPPORTED_ENCODING, INVALID_REQUEST for bytes that cannot be decoded
 */
export const readDecoded = async (request: Request, options: DecodeOptions): Promise<Buffer> => {
  const encodings = (request.headers.get('content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const bytes = await readBytes(request, options.maxBytes);
  let decoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const encoding of encodings.toReversed()) {
    decoded = (await decodeOnce(encoding, decoded, options)) as typeof decoded;
  }
  return decoded;
};

/** JSON of a decoded body. @throws TollamaError INVALID_REQUEST */
export const parseDecoded = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `the body is not valid JSON: ${errorMessage(cause)}`,
      {
        cause,
      },
    );
  }
};
