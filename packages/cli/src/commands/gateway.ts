import { Command, InvalidArgumentError } from 'commander';
import { gatewayCalibrateCommand } from './gateway-calibrate.ts';
import { gatewayCanaryCommand } from './gateway-canary.ts';
import { withExamples } from './options.ts';

interface GatewayOptions {
  readonly config?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly environment?: string;
  readonly logLevel?: string;
}

const port = (text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw new InvalidArgumentError('use a port between 0 and 65535.');
};

const collect = (value: string, given: readonly string[] = []): readonly string[] => [
  ...given,
  value,
];

const run = async (options: GatewayOptions): Promise<void> => {
  const { runGateway } = await import('@tollama/gateway/run');
  await runGateway(options);
};

const ENVIRONMENT = [
  'TSFM_FORECAST_API_TOKEN   token that callers must present (api.tsfm_forecast.token_env_var)',
  'TSFM_ENVIRONMENT          dev, staging or prod',
  'TSFM_<BLOCK>__<KEY>       any setting, such as TSFM_CACHE__TTL_S=30',
  'TOLLAMA_BASE_URL          address of the upstream daemon; TOLLAMA_ENDPOINT, TOLLAMA_TOKEN',
];

export const gatewayCommand = (): Command =>
  withExamples(
    new Command('gateway')
      .description('run the forecast gateway: an answer within the deadline, whatever fails')
      .option('--config <path>', 'configuration file or folder; may be repeated', collect)
      .option('--environment <name>', 'dev, staging or prod')
      .option('--host <host>', 'address to bind')
      .option('--port <port>', 'port to bind; 0 takes a free one', port)
      .option('--log-level <level>', 'trace, debug, info, warn, error or silent')
      .action(run)
      .addCommand(gatewayCalibrateCommand())
      .addCommand(gatewayCanaryCommand()),
    ['tollama gateway', 'tollama gateway --config configs --environment prod --port 8000'],
    ENVIRONMENT,
  );
