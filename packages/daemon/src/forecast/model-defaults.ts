import { withoutLatest } from '@tollama/core/model-name';
import type { ModelStore } from '../store/model-store.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Fills in what a model's Modelfile sets and the request leaves open; options one by one. Anything that is
 * no request, or names no installed model, comes back as it is and is refused by the parser.
 */
export const withModelDefaults = async (body: unknown, store: ModelStore): Promise<unknown> => {
  if (!isRecord(body) || typeof body.model !== 'string') return body;
  const defaults = (await store.find(withoutLatest(body.model)))?.defaults;
  if (!defaults) return body;
  const options = isRecord(body.options) ? body.options : undefined;
  const merged = { ...defaults, ...body };
  if (isRecord(defaults.options) && (options || body.options === undefined)) {
    merged.options = { ...defaults.options, ...options };
  }
  return merged;
};
