export { Gateway, type GatewayOptions } from './gateway.ts';
export type { ForecastResponse } from './pipeline/answer.ts';
export { type RunningGateway, type ServeOptions, startGateway } from './serve.ts';
