/** The view of the daemon: its runners, how it is set up, who used it, what it warns of. */
import type { DashboardState, InfoResponse } from '@tollama/client';
import { access, setApiKey } from '../daemon/connection.ts';
import { daemonState, refreshState } from '../daemon/state.ts';
import { Icon } from '../ui/icon.tsx';
import { WarningNote } from '../ui/problem-note.tsx';
import { formatMilliseconds, formatSeconds, plural } from '../ui/quantity.ts';
import { useStore } from '../ui/store.ts';
import { RunnerTable } from './runner-table.tsx';

const Fact = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt>{name}</dt>
    <dd class="mono">{value}</dd>
  </>
);

const configText = ({ config, paths }: InfoResponse): string => {
  if (!paths.config_exists) return 'none';
  const { error } = (config ?? {}) as { error?: unknown };
  return typeof error === 'string' ? `not valid: ${error}` : paths.config_path;
};

const shown = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

const Daemon = ({ info }: { info: InfoResponse }) => (
  <section class="card" aria-labelledby="daemon-title">
    <div class="card-head">
      <h2 id="daemon-title">Daemon</h2>
    </div>
    <dl class="card-body facts">
      <Fact name="Version" value={info.daemon.version} />
      <Fact name="Up for" value={formatSeconds(info.daemon.uptime_seconds)} />
      <Fact name="Address" value={info.daemon.host_binding} />
      <Fact name="State folder" value={info.paths.tollama_home} />
      <Fact name="Config file" value={configText(info)} />
      {Object.entries(info.pull_defaults)
        .filter(([, { source }]) => source !== 'default')
        .map(([name, { value, source }]) => (
          <Fact key={name} name={`Pull: ${name}`} value={`${shown(value)} (${source})`} />
        ))}
    </dl>
  </section>
);

const Runners = ({ info }: { info: InfoResponse }) => {
  const running = info.runners.filter((runner) => runner.running).length;
  return (
    <section class="card" aria-labelledby="runners-title">
      <div class="card-head">
        <h2 id="runners-title">Runners</h2>
        <span class="soft small">
          {running} of {plural(info.runners.length, 'family', 'families')} running
        </span>
      </div>
      <RunnerTable runners={info.runners} />
    </section>
  );
};

const Usage = ({ usage }: { usage: NonNullable<DashboardState['usage']> }) => (
  <section class="card" aria-labelledby="usage-title">
    <div class="card-head">
      <h2 id="usage-title">Usage</h2>
    </div>
    {usage.items.length === 0 ? (
      <p class="empty">Nothing was forecast yet.</p>
    ) : (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
      <section class="table-scroll" tabIndex={0} aria-label="Usage, table">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Key</th>
              {['Requests', 'Series', 'Inference'].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {usage.items.map((item) => (
              <tr key={item.key_id}>
                <th scope="row" class="mono">
                  {item.key_id}
                </th>
                <td class="number">{item.request_count.toLocaleString('en')}</td>
                <td class="number">{item.series_processed.toLocaleString('en')}</td>
                <td class="number">{formatMilliseconds(item.total_inference_ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    )}
  </section>
);

const Key = () => {
  const { hasKey } = useStore(access);
  if (!hasKey) return null;
  const forget = (): void => {
    setApiKey(undefined);
    void refreshState();
  };
  return (
    <section class="card" aria-labelledby="key-title">
      <div class="card-head">
        <h2 id="key-title">API key</h2>
        <button type="button" class="button" onClick={forget}>
          <Icon name="key" size={14} />
          Forget the key
        </button>
      </div>
      <p class="card-body soft small">A key is kept in this tab until it is closed.</p>
    </section>
  );
};

export const SystemView = () => {
  const { state } = useStore(daemonState);
  if (!state) return <p class="empty">Asking the daemon …</p>;
  return (
    <div class="stack">
      {state.warnings.length > 0 && (
        <WarningNote
          warnings={state.warnings.map(({ source, detail }) => `${source}: ${detail}`)}
        />
      )}
      {state.info && <Runners info={state.info} />}
      {state.usage && <Usage usage={state.usage} />}
      {state.info && <Daemon info={state.info} />}
      <Key />
    </div>
  );
};
