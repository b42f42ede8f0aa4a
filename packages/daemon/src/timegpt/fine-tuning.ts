/**
 * The seam to training: who tunes models implements this and is put into the daemon's context. Without one the
 * routes answer 501.
 */
import { TollamaError } from '@tollama/core/errors';
import type { Panel } from './panel.ts';

export interface TuningOrder {
  /** Installed model to start from. */
  readonly model: string;
  /** Name under which the tuned model is to be installed: forecasts then ask for it like for any other. */
  readonly name: string;
  readonly panel: Panel;
  /** Pandas alias. */
  readonly freq: string;
  readonly steps: number;
  /** 1: head and norms; 2 to 4: adapters of growing rank; 5: all weights. */
  readonly depth: number;
  readonly loss: 'default' | 'mae' | 'mse' | 'rmse' | 'mape' | 'smape' | 'poisson';
  readonly signal: AbortSignal | undefined;
}

export interface FineTuning {
  /**
   * Tunes and installs a model; done when it can forecast.
   *
   * @throws TollamaError MODEL_UNSUPPORTED for families that cannot be tuned
   */
  tune(order: TuningOrder): Promise<void>;
  /** Uninstalls what `tune` made. */
  remove(name: string): Promise<void>;
}

/** @throws TollamaError NOT_OFFERED without training */
export const requireFineTuning = (tuning: FineTuning | undefined): FineTuning => {
  if (tuning) return tuning;
  throw new TollamaError('NOT_OFFERED', 'fine-tuning is not offered by this server', {
    hint: 'leave finetune_steps and finetuned_model_id out; covariates and history need no tuning',
  });
};
