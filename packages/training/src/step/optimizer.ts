/** What an optimizer is told; its arithmetic is a graph (`optimizer-graph.ts`). */

/** Loshchilov & Hutter 2019, as torch.optim.AdamW. */
export interface AdamWOptions {
  readonly kind: 'adamw';
  /** (0.9, 0.999) when absent. */
  readonly betas?: readonly [number, number];
  /** 1e-8 when absent. */
  readonly epsilon?: number;
  /** Decoupled; 0.01 when absent. */
  readonly weightDecay?: number;
  readonly amsgrad?: boolean;
  readonly maximize?: boolean;
}

/** torch.optim.SGD. */
export interface SgdOptions {
  readonly kind: 'sgd';
  /** 0 when absent, as the rest. */
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
  /** Coupled: added to the gradient. */
  readonly weightDecay?: number;
}

/** Muon for matrices (Jordan et al. 2024; torch.optim.Muon), AdamW for all other tensors. */
export interface MuonOptions {
  readonly kind: 'muon';
  /** 0.95 when absent. */
  readonly momentum?: number;
  /** True when absent. */
  readonly nesterov?: boolean;
  /** Decoupled; 0.01 when absent. */
  readonly weightDecay?: number;
  /** Newton-Schulz steps; 5 when absent. */
  readonly iterations?: number;
  /**
   * Factor on the learning rate by a matrix' shape: sqrt(max(1, rows / columns)), which is the default, or
   * 0.2 sqrt(max(rows, columns)), with which learning rates of AdamW carry over (Liu et al. 2025).
   */
  readonly adjust?: 'original' | 'match_rms_adamw';
  /** For tensors that are no matrices, and for matrices that `isMatrix` leaves out. */
  readonly others?: Omit<AdamWOptions, 'kind'> & {
    /** Their learning rate as a share of the matrices'; 1 when absent. */
    readonly rate?: number;
  };
  /** Whether a tensor of two axes is a matrix of a hidden layer; all are when absent. */
  readonly isMatrix?: (name: string) => boolean;
}

export type OptimizerOptions = AdamWOptions | SgdOptions | MuonOptions;
