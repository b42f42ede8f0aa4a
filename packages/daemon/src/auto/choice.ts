/** What there is to choose from for one request. */
import { TollamaError } from '@tollama/core/errors';
import type { AutoForecastRequest } from '@tollama/core/forecast-variants';
import { isEmbeddedName } from '@tollama/core/statistical';
import type { DaemonContext } from '../context.ts';
import { type Candidate, installedCandidates, STAND_INS, toCandidate } from './candidates.ts';

/** What became of the models that went first. */
export interface Tried {
  /** Models that were tried in vain. */
  readonly blocked: Set<string>;
  readonly rationale: string[];
}

/** An installed model, or one that is always there. */
export const findNamed = async (
  model: string,
  { store }: DaemonContext,
): Promise<Candidate | undefined> => {
  if (isEmbeddedName(model)) return { ...STAND_INS[0]!, model };
  const manifest = await store.find(model);
  return manifest && toCandidate(manifest, true);
};

/** The installed models, else the stand-ins where a fallback is allowed. */
export const candidatesFor = async (
  { allow_fallback }: AutoForecastRequest,
  context: DaemonContext,
  { blocked, rationale }: Tried,
): Promise<readonly Candidate[]> => {
  const usable = (await installedCandidates(context)).filter(({ model }) => !blocked.has(model));
  if (usable.length > 0) return usable;
  if (!allow_fallback) {
    throw new TollamaError('MODEL_NOT_FOUND', 'no installed model can make this forecast', {
      hint: 'tollama pull chronos-bolt-small, name a classical model such as "auto", or set allow_fallback',
    });
  }
  rationale.push('no installed model can be used; the classical ones stand in');
  return STAND_INS.filter(({ model }) => !blocked.has(model));
};
