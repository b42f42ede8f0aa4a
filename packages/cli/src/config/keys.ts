/** The settings of config.json as dotted keys: what they mean, and how their texts are read. */

import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';

export type ConfigValue = string | number | boolean | readonly string[];

interface KeyFacts {
  readonly type: 'string' | 'boolean' | 'positive integer' | 'list';
  readonly meaning: string;
}

export const CONFIG_KEYS: Readonly<Record<string, KeyFacts>> = {
  'pull.hf_home': { type: 'string', meaning: "folder of the hub's cache (HF_HOME)" },
  'pull.offline': { type: 'boolean', meaning: 'use only what the cache holds' },
  'pull.local_files_only': { type: 'boolean', meaning: 'the same, without being offline' },
  'pull.insecure': { type: 'boolean', meaning: 'do not check certificates' },
  'pull.http_proxy': { type: 'string', meaning: 'proxy for http' },
  'pull.https_proxy': { type: 'string', meaning: 'proxy for https' },
  'pull.no_proxy': { type: 'string', meaning: 'hosts that are reached without a proxy' },
  'pull.max_workers': { type: 'positive integer', meaning: 'files fetched at the same time' },
  'daemon.host': { type: 'string', meaning: 'address to bind, host:port' },
  'daemon.auto_bootstrap': {
    type: 'boolean',
    meaning: 'kept for the Python original; nothing needs it here',
  },
  'auth.api_keys': { type: 'list', meaning: 'keys that clients must send, comma separated' },
  'routing.default': { type: 'string', meaning: 'model of auto-forecast' },
  'routing.fast_path': { type: 'string', meaning: 'model of auto-forecast in mode fast_path' },
  'routing.high_accuracy': {
    type: 'string',
    meaning: 'model of auto-forecast in mode high_accuracy',
  },
};

const usage = (message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', message, { hint });
};

/** The facts of a key. Throws a usage error with the closest known key. */
export const keyFacts = (key: string): KeyFacts => {
  const facts = CONFIG_KEYS[key];
  if (facts) return facts;
  const near = didYouMean(key, Object.keys(CONFIG_KEYS));
  return usage(
    `unknown key '${key}'`,
    near ? `did you mean '${near}'?` : '`tollama config keys` lists all',
  );
};

/** The value of a text for a key. Throws a usage error that names both. */
export const parseValue = (key: string, text: string): ConfigValue => {
  const { type } = keyFacts(key);
  switch (type) {
    case 'string':
      return text;
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean);
    case 'boolean':
      if (/^(1|true|yes|on)$/i.test(text)) return true;
      if (/^(0|false|no|off)$/i.test(text)) return false;
      return usage(`${key}: '${text}' is no boolean`, 'use true or false');
    case 'positive integer': {
      const number = Number(text);
      const isValid = Number.isInteger(number) && number > 0;
      return isValid
        ? number
        : usage(`${key}: '${text}' is no whole number above 0`, 'use a number such as 8');
    }
  }
};

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a dotted key, undefined where there is none. */
export const readKey = (config: Tree, key: string): unknown =>
  key.split('.').reduce<unknown>((at, part) => (isTree(at) ? at[part] : undefined), config);

/** A copy with the key set, or removed for undefined; sections that become empty go. */
export const writeKey = (config: Tree, key: string, value: unknown): Tree => {
  const [section, name] = key.split('.') as [string, string];
  const old = config[section];
  const { [name]: _, ...rest } = isTree(old) ? old : {};
  const next = value === undefined ? rest : { ...rest, [name]: value };
  const { [section]: __, ...others } = config;
  return Object.keys(next).length === 0 ? others : { ...others, [section]: next };
};
