/** Writes the report of a suite beside its results. */
import { join } from 'node:path';
import { readPublished } from '../gift-eval/published.ts';
import { writeWhole } from '../gift-eval/result-store.ts';
import type { SuiteResult } from '../gift-eval/suite.ts';
import { suiteReport } from './suite-report.ts';

export interface ReportPlace {
  /** Folder of the data; a published.csv in it joins the leaderboard. */
  readonly data: string;
  readonly output: string;
}

/** @returns the path of report.html */
export const writeReport = async (suite: SuiteResult, place: ReportPlace): Promise<string> => {
  const path = join(place.output, 'report.html');
  await writeWhole(path, suiteReport(suite, await readPublished(place.data)));
  return path;
};
