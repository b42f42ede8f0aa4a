import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ACTIVATION_NAMES, ACTIVATIONS } from './activation.ts';
import { decoderLayers, feedForwardKind, T5_DECODER_SIZES } from './t5-config.ts';

const Config = z.object(T5_DECODER_SIZES);
const SIZES = { d_model: 8, d_kv: 4, d_ff: 8, num_layers: 3, num_heads: 2 };

describe('feedForwardKind', () => {
  test('reads activation and gate out of feed_forward_proj', () => {
    for (const name of ACTIVATION_NAMES) {
      expect(feedForwardKind({ feed_forward_proj: name })).toEqual({
        activation: ACTIVATIONS[name],
        isGated: false,
      });
    }
    expect(feedForwardKind({ feed_forward_proj: 'gated-silu' })).toEqual({
      activation: ACTIVATIONS.silu,
      isGated: true,
    });
  });

  test("gated-gelu is T5 v1.1's form with a tanh, plain gelu the exact one", () => {
    const { activation } = feedForwardKind({ feed_forward_proj: 'gated-gelu' });
    expect(activation).toBe(ACTIVATIONS.gelu_new);
    expect(feedForwardKind({ feed_forward_proj: 'gelu' }).activation).toBe(ACTIVATIONS.gelu);
  });

  test('the two words of the file count before the one', () => {
    const c = { feed_forward_proj: 'relu', dense_act_fn: 'silu', is_gated_act: true } as const;
    expect(feedForwardKind(c)).toEqual({ activation: ACTIVATIONS.silu, isGated: true });
  });
});

test('an activation with weights of its own, or none at all, is refused', () => {
  for (const feed_forward_proj of ['prelu', 'gated-xielu', 'constructor', 'gated-']) {
    expect(Config.safeParse({ ...SIZES, feed_forward_proj }).success).toBe(false);
  }
});

test('a decoder has as many layers as the encoder where nothing is said', () => {
  expect(decoderLayers(Config.parse(SIZES))).toBe(3);
  expect(decoderLayers(Config.parse({ ...SIZES, num_decoder_layers: null }))).toBe(3);
  expect(decoderLayers(Config.parse({ ...SIZES, num_decoder_layers: 1 }))).toBe(1);
});
