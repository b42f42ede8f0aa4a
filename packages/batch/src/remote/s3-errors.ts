/** What a server's refusal means for who asked, and what to do. */
import { type ErrorCode, TollamaError } from '@tollama/core/errors';
import type { S3Account } from './s3-account.ts';

export interface S3Refusal {
  readonly bucket: string;
  /** As it was asked for, with its query. */
  readonly path: string;
  readonly status: number;
  /** As the server calls it. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly account: S3Account;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const NO_KEYS =
  'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE: the bucket is not public';

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: { code: 'NOT_FOUND', hint: 'check the name of the bucket and AWS_ENDPOINT_URL' },
  NoSuchKey: { code: 'NOT_FOUND', hint: 'the object is gone; start again with --fresh' },
  PreconditionFailed: {
    code: 'INVALID_INPUT',
    hint: 'the object changed while it was read; start again with --fresh',
  },
  InvalidAccessKeyId: { code: 'UNAUTHORIZED', hint: 'check AWS_ACCESS_KEY_ID' },
  SignatureDoesNotMatch: { code: 'UNAUTHORIZED', hint: 'check AWS_SECRET_ACCESS_KEY' },
  ExpiredToken: { code: 'UNAUTHORIZED', hint: 'get new credentials: AWS_SESSION_TOKEN is over' },
  InvalidToken: { code: 'UNAUTHORIZED', hint: 'AWS_SESSION_TOKEN belongs to other keys' },
  RequestTimeTooSkewed: { code: 'UNAUTHORIZED', hint: 'set the clock of this machine' },
  AuthorizationHeaderMalformed: { code: 'CONFIG_INVALID', hint: "set AWS_REGION to the bucket's" },
  PermanentRedirect: { code: 'CONFIG_INVALID', hint: "set AWS_REGION to the bucket's" },
};

const byStatus = (status: number): Meaning => {
  if (status === 404) return { code: 'NOT_FOUND', hint: 'check the address' };
  if (status === 412) return MEANINGS.PreconditionFailed!;
  if (status === 401 || status === 403) {
    return { code: 'UNAUTHORIZED', hint: 'the keys need s3:ListBucket and s3:GetObject on it' };
  }
  return { code: 'INVALID_INPUT', hint: 'check the address, AWS_REGION and AWS_ENDPOINT_URL' };
};

/** @throws TollamaError always */
export const refuseS3 = ({ bucket, path, status, ...rest }: S3Refusal): never => {
  const { code = '', message, account } = rest;
  const { code: ours, hint } = MEANINGS[code] ?? byStatus(status);
  const isUnsigned = ours === 'UNAUTHORIZED' && !account.credentials;
  const where = account.endpoint === undefined ? account.region : account.endpoint;
  const object = decodeURIComponent(path.replace(/\?.*$/, ''));
  const said = [code || String(status), message].filter(Boolean).join(': ');
  throw new TollamaError(ours, `s3://${bucket}${object} at ${where}: ${said}`, {
    hint: isUnsigned ? NO_KEYS : hint,
  });
};
