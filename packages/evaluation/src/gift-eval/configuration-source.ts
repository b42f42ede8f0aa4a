/** What a folder of evaluation data holds: entries of configs.json, and data files. */
import { z } from 'zod';
import type { DataSeries } from './instances.ts';

const ConfigurationEntry = z.object({
  file: z.string().min(1),
  freq: z.string().min(1).optional(),
  term: z.enum(['short', 'medium', 'long']).optional(),
  horizon: z.int().positive().optional(),
  windows: z.int().positive().optional(),
  season: z.int().positive().optional(),
  series: z.int().positive().optional(),
  domain: z.string().optional(),
  variates: z.int().positive().optional(),
  seasonalNaive: z.object({ mase: z.number(), crps: z.number() }).optional(),
});
/** configs.json */
export const ConfigurationFile = z.record(z.string().min(1), ConfigurationEntry);

/** What configs.json says of one configuration; what it leaves out follows from the protocol. */
export interface ConfigurationSource extends z.infer<typeof ConfigurationEntry> {
  /** `dataset/frequency/term` */
  readonly name: string;
}

/** A data file that several configurations may share. */
export interface DataFile {
  readonly series: readonly DataSeries[];
  readonly digest: string;
}
