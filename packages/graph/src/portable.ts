/** What runs anywhere: the language, its ONNX encoding, and what describes sessions and checkpoints. */
export * from './dimension.ts';
export * from './dtype.ts';
export { exposeLayers } from './gradient/composition.ts';
export { type Cotangent, gradient, pullBack, reaches } from './gradient/gradient.ts';
export * from './graph.ts';
export * from './node.ts';
export { encodeOnnx, toOnnx } from './onnx/encode.ts';
export * from './ops.ts';
export * from './print.ts';
export * from './rearrange.ts';
export type { Checkpoint, CheckpointTensor } from './safetensors/checkpoint.ts';
export type { SafetensorsHeader, StoredTensor } from './safetensors/parse-header.ts';
export { type ScanStep, scan } from './scan.ts';
export * from './session/feeds.ts';
export * from './session/options.ts';
export type { Outputs, Session } from './session/runtime-session.ts';
export * from './verify.ts';
export * from './weights.ts';
