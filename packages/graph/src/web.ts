/** The package in a browser: bundlers take it by the condition "browser" of package.json. */
export * from './portable.ts';
export * from './safetensors/memory-checkpoint.ts';
export * from './session/web-session.ts';
