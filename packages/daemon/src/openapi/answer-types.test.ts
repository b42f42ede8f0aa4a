/** What the daemon's functions give back is what the schemas of core name: told by the compiler. */
import type { InfoResponse, UsageResponse } from '@tollama/core/answers/daemon';
import type { StoredModelfile } from '@tollama/core/answers/profiles';
import type { PullLine } from '@tollama/core/answers/progress';
import type {
  PipelineResponse,
  Recommendation,
  ReportResponse,
} from '@tollama/core/answers/reports';
import type { AnalyzeResponse, GenerateResponse } from '@tollama/core/answers/series';
import type {
  AutoForecastResponse,
  CompareResponse,
  CounterfactualResponse,
  ScenarioTreeResponse,
  ValidationResponse,
  WhatIfResponse,
} from '@tollama/core/answers/variants';
import { expectTypeOf, test } from 'vitest';
import type { autoForecast } from '../auto/auto-forecast.ts';
import type { compareModels } from '../forecast/compare.ts';
import type { Validation } from '../forecast/validate.ts';
import type { generateSeries } from '../generate/generate.ts';
import type { PullEvent } from '../pull/progress.ts';
import type { analyze } from '../report/analysis.ts';
import type { runPipeline, runReport } from '../report/pipeline.ts';
import type { recommend } from '../report/recommend.ts';
import type { daemonInfo } from '../routes/info.ts';
import type { counterfactual } from '../scenarios/counterfactual.ts';
import type { scenarioTree } from '../scenarios/scenario-tree.ts';
import type { whatIf } from '../scenarios/what-if.ts';
import type { StoredProfile } from '../store/modelfile-store.ts';
import type { Usage } from '../usage/usage-meter.ts';

type Given<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>;

/** What went through the redaction is of any type to the compiler. */
type Redacted = 'config' | 'env' | 'pull_defaults';

test('functions and schemas agree', () => {
  expectTypeOf<Given<typeof autoForecast>>().toExtend<AutoForecastResponse>();
  expectTypeOf<Given<typeof compareModels>>().toExtend<CompareResponse>();
  expectTypeOf<Given<typeof whatIf>>().toExtend<WhatIfResponse>();
  expectTypeOf<Given<typeof counterfactual>>().toExtend<CounterfactualResponse>();
  expectTypeOf<Given<typeof scenarioTree>>().toExtend<ScenarioTreeResponse>();
  expectTypeOf<Given<typeof analyze>>().toExtend<AnalyzeResponse>();
  expectTypeOf<Given<typeof generateSeries>>().toExtend<GenerateResponse>();
  expectTypeOf<Given<typeof recommend>>().toExtend<Recommendation>();
  expectTypeOf<Given<typeof runPipeline>>().toExtend<PipelineResponse>();
  expectTypeOf<Given<typeof runReport>>().toExtend<ReportResponse>();
  type Told = Omit<Given<typeof daemonInfo>, Redacted>;
  expectTypeOf<Told>().toExtend<Omit<InfoResponse, Redacted>>();
  expectTypeOf<Validation>().toExtend<ValidationResponse>();
  expectTypeOf<Usage>().toExtend<UsageResponse>();
  expectTypeOf<StoredProfile>().toExtend<StoredModelfile>();
  expectTypeOf<PullEvent>().toExtend<PullLine>();
});
