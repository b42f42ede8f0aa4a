/** Training: gradients of graphs at work, trainer, adapters, policy and the harness that judges them. */
export {};
