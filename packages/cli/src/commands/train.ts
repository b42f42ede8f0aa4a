import { Command } from 'commander';
import { trainHarnessCommand } from './train-harness.ts';

export const trainCommand = (): Command =>
  new Command('train')
    .description('train and adapt models, and judge the training itself')
    .addCommand(trainHarnessCommand());
