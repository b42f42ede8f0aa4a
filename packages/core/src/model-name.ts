import { TollamaError } from './errors.ts';

/**
 * Names of the registry and of the model store: nothing that could escape a folder. A trained adapter has the name
 * of its base and one of its own, `chronos-bolt-small:sales`.
 */
export const MODEL_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]*(?::[a-zA-Z0-9][a-zA-Z0-9._-]*)?$/;

/** `name:latest` is `name`, as users of other model stores write it. */
export const withoutLatest = (name: string): string => name.replace(/:latest$/, '');

/** The folder of a model: file systems know no colon, and no name has a plus. */
export const modelFolderName = (name: string): string => name.replace(':', '+');
export const modelOfFolder = (folder: string): string => folder.replace('+', ':');

/** A checkpoint addressed on the hub itself: `hf.co/owner/name[@revision]`. */
export interface HubReference {
  readonly repoId: string;
  readonly revision: string;
}

const HUB_PREFIX = /^(?:https?:\/\/)?(?:hf\.co|huggingface\.co)\//;

/**
 * Reads `hf.co/owner/name[@revision]` or `owner/name[@revision]`; undefined for a plain name.
 *
 * @example
 * parseHubReference('amazon/chronos-bolt-tiny@main'); // { repoId: 'amazon/chronos-bolt-tiny', revision: 'main' }
 */
export const parseHubReference = (text: string): HubReference | undefined => {
  const bare = text.replace(HUB_PREFIX, '');
  const match = /^([\w.-]+\/[\w.-]+?)(?:@([\w./-]+))?$/.exec(bare);
  if (!match || bare.startsWith('.') || bare.includes('..')) return undefined;
  return { repoId: match[1]!, revision: match[2] ?? 'main' };
};

/** File systems take 255 bytes; a name stays well below. */
const LONGEST_NAME = 200;

/** Whether a text can be the name of a model. */
export const isModelName = (name: string): boolean =>
  name.length <= LONGEST_NAME && MODEL_NAME.test(name) && !name.endsWith(':latest');

/** Checks a name before it becomes part of a path. Throws INVALID_REQUEST with the name. */
export const checkModelName = (name: string): string => {
  if (isModelName(name)) return name;
  const shown = name.length > LONGEST_NAME ? `${name.slice(0, 40)}...` : name;
  throw new TollamaError('INVALID_REQUEST', `invalid model name: '${shown}'`, {
    hint: `use at most ${LONGEST_NAME} letters, digits, ".", "_" and "-", starting with a letter or digit`,
  });
};
