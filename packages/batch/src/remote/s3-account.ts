/** Who asks which S3 server: from the variables and the files that all AWS tools read. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { parseIni } from './ini-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Account {
  /** Undefined: requests are not signed, as public buckets allow. */
  readonly credentials: S3Credentials | undefined;
  readonly region: string;
  /** Of a server that is not Amazon's, without a slash at its end. */
  readonly endpoint: string | undefined;
}

const DEFAULT_REGION = 'us-east-1';

const profileIn = async (
  path: string,
  profile: string,
): Promise<Readonly<Record<string, string>> | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  return parseIni(text).get(profile);
};

type Keys = Readonly<Record<string, string | undefined>>;

const credentialsOf = (id?: string, key?: string, token?: string): S3Credentials | undefined =>
  id && key
    ? { accessKeyId: id, secretAccessKey: key, ...(token && { sessionToken: token }) }
    : undefined;

const fromFile = (keys: Keys): S3Credentials | undefined =>
  credentialsOf(keys.aws_access_key_id, keys.aws_secret_access_key, keys.aws_session_token);

const endpointOf = (text: string | undefined): string | undefined => {
  if (!text) return undefined;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new TollamaError('CONFIG_INVALID', `AWS_ENDPOINT_URL '${text}' is no address`, {
      hint: 'use the form https://host:port',
    });
  }
  return text.replace(/\/+$/, '');
};

/**
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, else the
 * profile `AWS_PROFILE` of `~/.aws`; `AWS_NO_SIGN_REQUEST=true` leaves the keys aside.
 *
 * @throws TollamaError CONFIG_INVALID for a profile that is nowhere and for an endpoint that is no address
 */
export const readS3Account = async (env: Environment): Promise<S3Account> => {
  const folder = join(env.HOME ?? homedir(), '.aws');
  const profile = env.AWS_PROFILE || 'default';
  const [keys, config] = await Promise.all([
    profileIn(env.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials'), profile),
    profileIn(env.AWS_CONFIG_FILE ?? join(folder, 'config'), profile),
  ]);
  if (env.AWS_PROFILE && !keys && !config) {
    throw new TollamaError('CONFIG_INVALID', `AWS_PROFILE names '${profile}', which is nowhere`, {
      hint: `add it to ${join(folder, 'credentials')}, or unset AWS_PROFILE`,
    });
  }
  const own = credentialsOf(
    ...([env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN] as const),
  );
  return {
    credentials:
      env.AWS_NO_SIGN_REQUEST === 'true'
        ? undefined
        : (own ?? fromFile(keys ?? {}) ?? fromFile(config ?? {})),
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || config?.region || DEFAULT_REGION,
    endpoint: endpointOf(env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || config?.endpoint_url),
  };
};
