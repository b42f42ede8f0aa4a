/** What to do about a package that is not installed because few need it. */

/**
 * @example installHint('bullmq', 'ioredis');
 * // 'npm install bullmq ioredis, where tollama is installed (--global where that is)'
 */
export const installHint = (...packages: readonly string[]): string =>
  `npm install ${packages.join(' ')}, where tollama is installed (--global where that is)`;
