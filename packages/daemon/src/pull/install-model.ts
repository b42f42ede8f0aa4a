/** A pull that is part of another request: by the daemon's own defaults, without progress. */
import type { DaemonContext } from '../context.ts';
import { findPullTarget, pullModel } from './pull-model.ts';
import { pullContext, pullOptions } from './pull-options.ts';

/** @throws TollamaError as a pull does: MODEL_NOT_FOUND, LICENSE_REQUIRED, PULL_FAILED */
export const installModel = async (
  name: string,
  { acceptLicense }: { readonly acceptLicense: boolean },
  context: DaemonContext,
  signal: AbortSignal,
): Promise<void> => {
  const options = await pullOptions(
    { model: name, accept_license: acceptLicense },
    context,
    signal,
  );
  const target = await findPullTarget(name, context.registry);
  await pullModel(target, pullContext(context), options, () => {});
};
