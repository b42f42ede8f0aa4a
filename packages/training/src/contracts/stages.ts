/** The life of a seed as one table: every transition that exists, and the gate that guards it. */

export const STAGES = [
  'DORMANT',
  'GERMINATED',
  'TRAINING',
  'BLENDING',
  'HOLDING',
  'FOSSILIZED',
  'CULLED',
  'EMBARGOED',
  'RESETTING',
] as const;
export type Stage = (typeof STAGES)[number];

/** G4 (system impact) is judged together with G3: both belong to the step from BLENDING to HOLDING. */
export const GATES = ['G0', 'G1', 'G2', 'G3', 'G4', 'G5', 'G5r'] as const;
export type Gate = (typeof GATES)[number];

export interface Edge {
  readonly from: Stage;
  readonly to: Stage;
  readonly gates: readonly Gate[];
}

const edge = (from: Stage, to: Stage, ...gates: readonly Gate[]): Edge => ({ from, to, gates });

/** In the order of the specification's table. Culling asks no gate: it is always allowed, with a reason. */
export const EDGES: readonly Edge[] = [
  edge('DORMANT', 'GERMINATED', 'G0'),
  edge('GERMINATED', 'TRAINING', 'G1'),
  edge('GERMINATED', 'CULLED'),
  edge('TRAINING', 'BLENDING', 'G2'),
  edge('TRAINING', 'CULLED'),
  edge('BLENDING', 'HOLDING', 'G3', 'G4'),
  edge('BLENDING', 'CULLED'),
  edge('HOLDING', 'FOSSILIZED', 'G5'),
  edge('HOLDING', 'BLENDING'),
  edge('HOLDING', 'CULLED'),
  edge('CULLED', 'EMBARGOED'),
  edge('EMBARGOED', 'RESETTING'),
  edge('RESETTING', 'DORMANT', 'G5r'),
];

export const edgeBetween = (from: Stage, to: Stage): Edge | undefined =>
  EDGES.find((one) => one.from === from && one.to === to);

export const stagesAfter = (stage: Stage): readonly Stage[] =>
  EDGES.filter(({ from }) => from === stage).map(({ to }) => to);

/** The stage that ADVANCE leads to; undefined where only other commands lead on. */
export const NEXT_STAGE: Readonly<Partial<Record<Stage, Stage>>> = {
  GERMINATED: 'TRAINING',
  TRAINING: 'BLENDING',
  BLENDING: 'HOLDING',
};

/** Stages in which a seed holds its slot and may be culled. */
export const ACTIVE_STAGES: readonly Stage[] = ['GERMINATED', 'TRAINING', 'BLENDING', 'HOLDING'];

export const isActive = (stage: Stage): boolean => ACTIVE_STAGES.includes(stage);

/** Stages whose seed takes part in the forward pass. */
export const isInForward = (stage: Stage): boolean =>
  stage === 'TRAINING' || stage === 'BLENDING' || stage === 'HOLDING' || stage === 'FOSSILIZED';
