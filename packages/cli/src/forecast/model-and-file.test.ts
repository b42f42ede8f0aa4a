import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelAndFile, modelsAndFile } from './model-and-file.ts';

test('model and file in their order', () => {
  expect(modelAndFile('auto', 'sales.csv', undefined)).toEqual({
    model: 'auto',
    input: 'sales.csv',
  });
});

test('a word alone is a model', () => {
  expect(modelAndFile('auto', undefined, undefined)).toEqual({ model: 'auto', input: undefined });
});

test('a word alone that ends like data is a file, there or not', () => {
  expect(modelAndFile('missing.csv', undefined, undefined).input).toBe('missing.csv');
});

test('a word alone that is a file is the file', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'tollama-')), 'sales');
  writeFileSync(path, 'y\n1\n');
  expect(modelAndFile(path, undefined, undefined)).toEqual({ model: undefined, input: path });
});

test('--input beside a model', () => {
  expect(modelAndFile('auto', undefined, 'sales.csv')).toEqual({
    model: 'auto',
    input: 'sales.csv',
  });
  expect(modelAndFile(undefined, undefined, '-').input).toBe('-');
});

test('two inputs are refused', () => {
  expect(() => modelAndFile('auto', 'a.csv', 'b.csv')).toThrow("two inputs: 'a.csv'");
});

test('several models, and the file last', () => {
  expect(modelsAndFile(['auto', 'theta', 'a.csv'], undefined)).toEqual({
    models: ['auto', 'theta'],
    input: 'a.csv',
  });
  expect(modelsAndFile(['auto'], 'a.csv')).toEqual({ models: ['auto'], input: 'a.csv' });
  expect(modelsAndFile(['-'], undefined)).toEqual({ models: [], input: '-' });
  expect(() => modelsAndFile(['auto', 'theta'], undefined)).toThrow('no series are given');
});
