/** Leaves the files of a result in a folder. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SLUGS } from './options.ts';
import { markdownReport } from './report.ts';
import type { HarnessResult } from './result.ts';
import { appendCsv } from './summary-csv.ts';

/** A reader sees the old file or the new one. */
const replaceFile = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.partial`, text);
  await rename(`${path}.partial`, path);
};

const pathOf = (folder: string, slug: string): string => join(folder, `${slug}_metrics.json`);

/** The latest result of each scenario in the folder, in the order of the scenarios. */
const latestResults = async (folder: string): Promise<readonly HarnessResult[]> => {
  const texts = await Promise.all(
    Object.values(SLUGS).map((slug) => readFile(pathOf(folder, slug), 'utf8').catch(() => '')),
  );
  return texts.filter((text) => text !== '').map((text) => JSON.parse(text) as HarnessResult);
};

/** @returns the path of the JSON file */
export const writeResult = async (
  result: HarnessResult,
  { outputDir, isMarkdown }: { readonly outputDir: string; readonly isMarkdown: boolean },
): Promise<string> => {
  const folder = resolve(outputDir);
  await mkdir(folder, { recursive: true });
  const path = pathOf(folder, result.slug);
  await replaceFile(path, `${JSON.stringify(result, null, 2)}\n`);
  await appendCsv(join(folder, 'summary.csv'), result);
  if (isMarkdown) {
    await replaceFile(join(folder, 'summary.md'), markdownReport(await latestResults(folder)));
  }
  return path;
};
