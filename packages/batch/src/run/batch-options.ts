import type { ChunkSize } from '../panel/chunks.ts';
import type { PanelColumnOptions } from '../panel/columns.ts';
import type { CovariateOptions, ModelSupport } from '../panel/covariate-columns.ts';
import type { Patience, StagedBytes } from '../remote/patience.ts';
import type { BatchSettings } from '../settings.ts';
import type { LocalWorkers } from './local-workers.ts';
import type { RunProgress } from './run-folder.ts';

/** What a run is asked for, where it may find it, and whom it tells. */
export interface BatchOptions {
  /** Paths, globs and addresses of one kind of file. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly settings: BatchSettings;
  readonly columns?: PanelColumnOptions;
  readonly covariates?: CovariateOptions;
  /** Files with rows after the panel's last ones: values of covariates that are known beforehand. */
  readonly future?: readonly string[] | undefined;
  /** What the daemon's model can use; models that are always there use no covariates. */
  readonly support?: Pick<ModelSupport, 'family' | 'support'> | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  readonly chunk: ChunkSize;
  /** Worker processes to start here. */
  readonly workers: number;
  /** redis://host:port; a journal in the output folder where not given. */
  readonly queue?: string | undefined;
  /** Of the daemon for models with weights. */
  readonly baseUrl?: string | undefined;
  /** Forget an earlier run in the output folder. */
  readonly isFresh?: boolean;
  /** Refuse to start anew. */
  readonly mustResume?: boolean;
  /** Of DuckDB; all else takes a few hundred more. */
  readonly memoryMegabytes?: number;
  readonly leaseMs?: number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The state folder, where a daemon of this machine sees the run; nothing is told where not given. */
  readonly home?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /** With servers of remote inputs. */
  readonly patience?: Patience | undefined;
  /** Told while remote inputs are fetched. */
  readonly onStaged?: (staged: StagedBytes) => void;
  readonly onWorkers?: (workers: LocalWorkers) => void;
}
