/** Reads from S3 and what speaks like it (MinIO, R2, Ceph, ...): lists keys and opens objects. */
import type { IncomingMessage } from 'node:http';
import { AwsV4Signer } from 'aws4fetch';
import type { Patience } from './patience.ts';
import type { S3Account } from './s3-account.ts';
import { refuseS3 } from './s3-errors.ts';
import { bodyText, type HttpRequest, isPassingStatus, openAnswer, trying } from './transfer.ts';
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

type Headers = Readonly<Record<string, string>>;

const OK: ReadonlySet<number> = new Set([200, 206]);

/** One page of a listing. */
interface Page {
  readonly objects: readonly S3Object[];
  /** Undefined for the last one. */
  readonly next: string | undefined;
}

const parsePage = (text: string): Page => {
  const isEncoded = childText(text, 'EncodingType') === 'url';
  const objects = elementsOf(text, 'Contents').map((content): S3Object => {
    const key = childText(content, 'Key') ?? '';
    return {
      key: isEncoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key,
      sizeBytes: Number(childText(content, 'Size')),
      etag: (childText(content, 'ETag') ?? '').replaceAll('"', ''),
    };
  });
  const isCut = childText(text, 'IsTruncated') === 'true';
  return { objects, next: isCut ? childText(text, 'NextContinuationToken') : undefined };
};

const listQuery = (prefix: string, token: string | undefined): string =>
  [
    ...(token === undefined ? [] : [`continuation-token=${encodePart(token)}`]),
    ...['encoding-type=url', 'list-type=2', `prefix=${encodePart(prefix)}`],
  ].join('&');

class SignedClient implements S3Client {
  readonly #options: S3ClientOptions;
  /** Buckets that told to be elsewhere. */
  readonly #regions = new Map<string, string>();

  constructor(options: S3ClientOptions) {
    this.#options = options;
  }

  async #requestFor(bucket: string, path: string, extra: Headers): Promise<HttpRequest> {
    const { account } = this.#options;
    const { credentials, endpoint } = account;
    const region = this.#regions.get(bucket) ?? account.region;
    const url = `${hostOf(bucket, region, endpoint)}${path}`;
    if (!credentials) return { url, headers: extra };
    const signer = new AwsV4Signer({ url, service: 's3', region, ...credentials });
    const signed = await signer.sign();
    return { url: signed.url.href, headers: { ...Object.fromEntries(signed.headers), ...extra } };
  }

  /** Asks; a bucket of another region is asked for there. */
  async #ask(bucket: string, path: string, extra: Headers = {}): Promise<IncomingMessage> {
    const { account, patience, signal } = this.#options;
    const request = await this.#requestFor(bucket, path, extra);
    const answer = await openAnswer(request, patience, signal);
    const status = answer.statusCode!;
    if (OK.has(status)) return answer;
    const text = await bodyText(answer);
    const told = answer.headers['x-amz-bucket-region'] ?? childText(text, 'Region');
    if (typeof told === 'string' && told !== '' && !this.#regions.has(bucket)) {
      if (told !== account.region && /^[a-z0-9-]+$/.test(told)) {
        this.#regions.set(bucket, told);
        return this.#ask(bucket, path, extra);
      }
    }
    const code = childText(text, 'Code');
    if (isPassingStatus(status)) throw new Error(`${status} ${code ?? ''}`.trim());
    return refuseS3({ bucket, path, status, code, message: childText(text, 'Message'), account });
  }

  async *list(bucket: string, prefix: string): AsyncGenerator<S3Object> {
    const { patience, signal } = this.#options;
    let token: string | undefined;
    do {
      const path = `/?${listQuery(prefix, token)}`;
      const ask = async (): Promise<string> => bodyText(await this.#ask(bucket, path));
      const text = await trying(`s3://${bucket}/${prefix}`, ask, { patience, signal });
      const { objects, next } = parsePage(text);
      yield* objects;
      token = next;
    } while (token !== undefined);
  }

  open(bucket: string, { key, etag }: S3Object, from: number): Promise<IncomingMessage> {
    return this.#ask(bucket, `/${key.split('/').map(encodePart).join('/')}`, {
      ...(from > 0 && { range: `bytes=${from}-` }),
      ...(etag !== '' && { 'if-match': `"${etag}"` }),
    });
  }
}

/** A client of one account; requests are signed where the account has credentials. */
export const createS3Client = (options: S3ClientOptions): S3Client => new SignedClient(options);
