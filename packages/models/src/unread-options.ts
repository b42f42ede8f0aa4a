/** Which options of a request nobody read: a misspelt one should be told, not swallowed. */

type Options = Readonly<Record<string, unknown>>;

export interface WatchedOptions {
  /** The same options; whatever is looked up in them is noted, and copying them looks up all. */
  readonly options: Options;
  /** Names that were never looked up. */
  readonly unread: () => readonly string[];
}

/**
 * @example
 * const watched = watchOptions({ num_samples: 20, num_sample: 40 });
 * watched.options.num_samples;
 * watched.unread(); // ['num_sample']
 */
export const watchOptions = (options: Options): WatchedOptions => {
  const read = new Set<PropertyKey>();
  const note = (name: PropertyKey): void => {
    read.add(name);
  };
  const watched = new Proxy(options, {
    get: (target, name) => {
      note(name);
      return Reflect.get(target, name) as unknown;
    },
    has: (target, name) => {
      note(name);
      return Reflect.has(target, name);
    },
  });
  return {
    options: watched,
    unread: () => Object.keys(options).filter((name) => !read.has(name)),
  };
};
