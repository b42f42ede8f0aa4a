import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { describe, expect, test } from 'vitest';
import { type AdapterConfig, factorOf, rankOf, readAdapterConfig } from './adapter-config.ts';

const read = (config: unknown): Promise<AdapterConfig> =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config));
    return readAdapterConfig(folder);
  });

const TIME = 'encoder.block.0.layer.0.self_attention.q';
const GROUP = 'encoder.block.0.layer.1.self_attention.q';
const HEAD = 'output_patch_embedding.output_layer';

describe('rank and factor', () => {
  test('are those of the adapter where no pattern matches', async () => {
    const config = await read({ peft_type: 'LORA', r: 4, lora_alpha: 10 });
    expect(rankOf(config, TIME)).toBe(4);
    expect(factorOf(config, TIME)).toBe(2.5);
  });

  test('rslora divides by the square root of the rank', async () => {
    const config = await read({ peft_type: 'LORA', r: 4, lora_alpha: 10, use_rslora: true });
    expect(factorOf(config, TIME)).toBe(5);
  });

  test('patterns match whole last parts of a module, the first that matches counts', async () => {
    const config = await read({
      peft_type: 'LORA',
      r: 8,
      lora_alpha: 16,
      rank_pattern: { 'layer.0.self_attention.q': 2, 'self_attention.q': 4, output_layer: 16 },
      alpha_pattern: { [GROUP]: 1, '.*\\.self_attention\\.(q|k)': 32, layer: 99 },
    });
    expect([TIME, GROUP, HEAD].map((module) => rankOf(config, module))).toEqual([2, 4, 16]);
    expect([TIME, GROUP, HEAD].map((module) => factorOf(config, module))).toEqual([16, 0.25, 1]);
  });
});

test.each([
  [{ peft_type: 'IA3' }, 'peft_type = "IA3": only LORA'],
  [{ r: 4 }, 'peft_type = nothing'],
  [{ peft_type: 'LORA', lora_bias: true }, 'lora_bias = true'],
  [{ peft_type: 'LORA', layer_replication: [[0, 2]] }, 'layer_replication = [[0,2]]'],
  [{ peft_type: 'LORA', init_lora_weights: 'pissa' }, 'init_lora_weights = "pissa"'],
  [{ peft_type: 'LORA', r: 0 }, 'r = 0'],
  [{ peft_type: 'LORA', rank_pattern: { 'q(': 4 } }, 'rank_pattern = {"q(":4}: its keys'],
])('refuses %j by name', async (config, message) => {
  await expect(read(config)).rejects.toThrow(message);
});

test('a folder without the file, or with another text in it, is said', async () => {
  await withFolder(async (folder) => {
    await expect(readAdapterConfig(folder)).rejects.toThrow('there is no adapter_config.json in');
    await writeFile(join(folder, 'adapter_config.json'), '{');
    await expect(readAdapterConfig(folder)).rejects.toThrow('is not JSON');
  });
});
