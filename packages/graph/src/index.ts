export * from './portable.ts';
export { readTorchFile, type TorchFile } from './pytorch/torch-file.ts';
export * from './safetensors/checkpoint.ts';
export { readSafetensorsHeader } from './safetensors/header.ts';
export * from './safetensors/memory-checkpoint.ts';
export * from './safetensors/read-tensor.ts';
export * from './safetensors/write.ts';
export { openSession } from './session/session.ts';
export * from './session/web-session.ts';
