import { defineConfig } from 'vitest/config';

const { CI, PROPERTY_SEED = String(Math.floor(Math.random() * 2 ** 31)) } = process.env;
// Workers read this file too; the run's own process has set the variable for them by then.
if (CI && process.env.PROPERTY_SEED === undefined)
  console.log(`property tests: PROPERTY_SEED=${PROPERTY_SEED}`);
process.env.PROPERTY_SEED = PROPERTY_SEED;

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    setupFiles: ['./tests/setup.ts'],
    // Native sessions do not like to share a process with a worker's exit.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
