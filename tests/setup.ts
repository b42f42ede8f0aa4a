/** CI repeats the same property runs, so that a red run means the change; elsewhere each run explores. */
import fc from 'fast-check';

if (process.env.CI) fc.configureGlobal({ seed: 20_261_122 });
