/** Reads from S3 and what speaks like it (MinIO, R2, Ceph, ...): lists keys and opens objects. */
import type { IncomingMessage } from 'node:http';
import { AwsV4Signer } from 'aws4fetch';
import type { S3Account } from './s3-account.ts';
import { refuseS3 } from './s3-errors.ts';
import {
  bodyText,
  type HttpRequest,
  isPassingStatus,
  openAnswer,
  type Patience,
  trying,
} from './transfer.ts';
import { childText, elementsOf } from './xml-text.ts';

export interface S3Object {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without its quotes. */
  readonly etag: string;
}

export interface S3Client {
  /** All objects below a prefix, in the order of their keys. */
  list(bucket: string, prefix: string): AsyncGenerator<S3Object>;
  /** The bytes from an offset on, of that very version. Throws no TollamaError for what may pass. */
  open(bucket: string, object: S3Object, from: number): Promise<IncomingMessage>;
}

export interface S3ClientOptions {
  readonly account: S3Account;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

const encodePart = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const hostOf = (bucket: string, region: string, endpoint: string | undefined): string => {
  if (endpoint !== undefined) return `${endpoint}/${encodePart(bucket)}`;
  // A certificate of *.s3.region.amazonaws.com covers no name with further dots.
  if (bucket.includes('.')) return `https://s3.${region}.amazonaws.com/${bucket}`;
  return `https://${bucket}.s3.${region}.amazonaws.com`;
};

const OK: ReadonlySet<number> = new Set([200, 206]);

export const createS3Client = ({ account, patience, signal }: S3ClientOptions): S3Client => {
  const { credentials, endpoint } = account;
  /** Buckets that told to be elsewhere. */
  const regions = new Map<string, string>();
  const requestFor = async (
    bucket: string,
    path: string,
    extra: Readonly<Record<string, string>>,
  ): Promise<HttpRequest> => {
    const region = regions.get(bucket) ?? account.region;
    const url = `${hostOf(bucket, region, endpoint)}${path}`;
    if (!credentials) return { url, headers: extra };
    const signer = new AwsV4Signer({ url, service: 's3', region, ...credentials });
    const signed = await signer.sign();
    return { url: signed.url.href, headers: { ...Object.fromEntries(signed.headers), ...extra } };
  };
  /** Asks; a bucket of another region is asked for there. */
  const ask = async (
    bucket: string,
    path: string,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<IncomingMessage> => {
    const answer = await openAnswer(await requestFor(bucket, path, extra), patience, signal);
    const status = answer.statusCode!;
    if (OK.has(status)) return answer;
    const text = await bodyText(answer);
    const told = answer.headers['x-amz-bucket-region'] ?? childText(text, 'Region');
    if (typeof told === 'string' && told !== '' && !regions.has(bucket)) {
      if (told !== account.region && /^[a-z0-9-]+$/.test(told)) {
        regions.set(bucket, told);
        return ask(bucket, path, extra);
      }
    }
    const code = childText(text, 'Code');
    if (isPassingStatus(status)) throw new Error(`${status} ${code ?? ''}`.trim());
    return refuseS3({ bucket, path, status, code, message: childText(text, 'Message'), account });
  };
  return {
    async *list(bucket, prefix) {
      let token: string | undefined;
      do {
        const query = [
          ...(token === undefined ? [] : [`continuation-token=${encodePart(token)}`]),
          ...['encoding-type=url', 'list-type=2', `prefix=${encodePart(prefix)}`],
        ].join('&');
        const what = `s3://${bucket}/${prefix}`;
        const page = async (): Promise<string> => bodyText(await ask(bucket, `/?${query}`));
        const text = await trying(what, page, { patience, signal });
        const isEncoded = childText(text, 'EncodingType') === 'url';
        for (const content of elementsOf(text, 'Contents')) {
          const key = childText(content, 'Key') ?? '';
          yield {
            key: isEncoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key,
            sizeBytes: Number(childText(content, 'Size')),
            etag: (childText(content, 'ETag') ?? '').replaceAll('"', ''),
          };
        }
        const isCut = childText(text, 'IsTruncated') === 'true';
        token = isCut ? childText(text, 'NextContinuationToken') : undefined;
      } while (token !== undefined);
    },
    open: (bucket, { key, etag }, from) =>
      ask(bucket, `/${key.split('/').map(encodePart).join('/')}`, {
        ...(from > 0 && { range: `bytes=${from}-` }),
        ...(etag !== '' && { 'if-match': `"${etag}"` }),
      }),
  };
};
