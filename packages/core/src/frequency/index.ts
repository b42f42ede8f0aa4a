/** Frequencies and timestamps of series: reading, inferring, stepping on, writing. */
export { type Frequency, formatFrequency, parseFrequency } from './frequency.ts';
export { futureTimestamps } from './future.ts';
export { type InferredFrequency, inferFrequency } from './infer.ts';
export { candidateSeasons, seasonLengths } from './season-lengths.ts';
export {
  compareTimestamps,
  type IndexStamp,
  type Moment,
  parseTimestamp,
  parseTimestamps,
  type Timestamp,
} from './timestamp.ts';
