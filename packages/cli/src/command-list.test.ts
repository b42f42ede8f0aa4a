import { expect, test } from 'vitest';
import { listedCommand, SUMMARIES } from './commands/summaries.ts';
import { allCommands, buildProgram } from './main.ts';

test('the list of commands says what the commands say of themselves', async () => {
  const listed = Object.entries(SUMMARIES).map(([name, summary]) => listedCommand(name, summary));
  const loaded = buildProgram(await allCommands());
  expect(buildProgram(listed).helpInformation()).toBe(loaded.helpInformation());
});
