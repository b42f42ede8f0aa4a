/** Windows of a panel, and where they lie in its columns. */
import type { Panel } from './panel.ts';

export interface Window {
  readonly series: number;
  /** Points of the series that are known. */
  readonly origin: number;
  /** Windows of one round may look at each other. */
  readonly round: number;
}

/** Where a window's history lies in the panel's columns. */
export interface Span {
  readonly from: number;
  readonly end: number;
}

export const spanOf = (panel: Panel, { series, origin }: Window, context: number): Span => {
  const offset = panel.offsets[series]!;
  return { from: offset + Math.max(0, origin - context), end: offset + origin };
};
