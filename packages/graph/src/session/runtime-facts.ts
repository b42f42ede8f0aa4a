/** What build of onnxruntime is there, for those who report measurements. */
import { loadRuntime } from './load-runtime.ts';

export interface RuntimeFacts {
  readonly version: string | null;
  /** Execution providers of this build, by our names. */
  readonly providers: readonly string[];
}

/** @throws TollamaError DEPENDENCY_MISSING without onnxruntime */
export const runtimeFacts = async (): Promise<RuntimeFacts> => {
  const runtime = await loadRuntime();
  return {
    version: runtime.env.versions.node ?? null,
    providers: runtime.listSupportedBackends().map(({ name }) => name),
  };
};
