/** The frame of every view: navigation, the state of the daemon, the page. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { BatchesView } from './batches/batches-view.tsx';
import { access } from './daemon/connection.ts';
import { daemonState } from './daemon/state.ts';
import { ForecastView } from './forecast/forecast-view.tsx';
import { KeyDialog } from './key-dialog.tsx';
import { MetricsView } from './metrics/metrics-view.tsx';
import { ModelsView } from './models/models-view.tsx';
import { route, VIEWS, type View } from './route.ts';
import { SystemView } from './system/system-view.tsx';
import { TrainingView } from './training/training-view.tsx';
import { Announcer } from './ui/announcer.tsx';
import { Icon } from './ui/icon.tsx';
import { ProblemNote } from './ui/problem-note.tsx';
import { useStore } from './ui/store.ts';
import { ThemeSwitch } from './ui/theme.tsx';

interface Page {
  readonly title: string;
  readonly about: string;
  readonly view: () => ComponentChildren;
}

const PAGES: Readonly<Record<View, Page>> = {
  forecast: {
    title: 'Forecast',
    about: 'Try models on your data, and hold them against each other',
    view: () => <ForecastView />,
  },
  models: {
    title: 'Models',
    about: 'Pull, load, unload and delete',
    view: () => <ModelsView />,
  },
  training: {
    title: 'Training',
    about: 'Adapters and models of your own',
    view: () => <TrainingView />,
  },
  batches: {
    title: 'Batches',
    about: 'Whole panels on their way through tollama batch',
    view: () => <BatchesView />,
  },
  metrics: {
    title: 'Metrics',
    about: 'What the daemon is doing right now',
    view: () => <MetricsView />,
  },
  system: {
    title: 'System',
    about: 'Runners, settings and usage',
    view: () => <SystemView />,
  },
};

const Brand = () => (
  <div class="brand">
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" class="brand-mark">
      <path class="outer" d="M15 19 29 6v22z" />
      <path class="inner" d="M15 19 29 11v11z" />
      <path class="line" d="M3 20l4-7 4 8 4-2 14-3" />
    </svg>
    tollama
  </div>
);

const Navigation = ({ current }: { current: View }) => (
  <nav class="nav" aria-label="Views">
    <ul>
      {VIEWS.map((view) => (
        <li key={view}>
          <a href={`#/${view}`} aria-current={view === current ? 'page' : undefined}>
            <Icon name={view} size={18} />
            {PAGES[view].title}
          </a>
        </li>
      ))}
    </ul>
  </nav>
);

const DaemonStatus = () => {
  const { state, problem } = useStore(daemonState);
  const { isLocked } = useStore(access);
  const [look, word] = problem
    ? ['bad', isLocked ? 'locked' : 'no answer']
    : state
      ? ['good', 'running']
      : ['', 'asking'];
  const { version } = state?.info?.daemon ?? {};
  return (
    <div class="daemon-status">
      <span>
        <span class={`dot ${look}`} />
        Daemon {word}
      </span>
      <span class="soft mono address">{location.host}</span>
      {version !== undefined && <span class="soft address">version {version}</span>}
    </div>
  );
};

const Unreachable = () => {
  const { problem } = useStore(daemonState);
  const { isLocked } = useStore(access);
  if (!problem || isLocked) return null;
  return <ProblemNote title="The daemon could not be asked" problem={problem} />;
};

const SideBar = ({ current }: { current: View }) => (
  <header class="sidebar">
    <Brand />
    <Navigation current={current} />
    <div class="sidebar-foot">
      <DaemonStatus />
      <ThemeSwitch />
    </div>
  </header>
);

export const App = () => {
  const current = useStore(route);
  const { title, about, view } = PAGES[current];
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  // Another view moves the focus to its title.
  useEffect(() => {
    document.title = `${title} - tollama`;
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [title]);
  return (
    <div class="shell">
      <button type="button" class="skip-link" onClick={() => heading.current?.focus()}>
        Skip to the content
      </button>
      <SideBar current={current} />
      <main class="page">
        <div class="page-head">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          <p>{about}</p>
        </div>
        <div class="stack">
          <Unreachable />
          {view()}
        </div>
      </main>
      <Announcer />
      <KeyDialog />
    </div>
  );
};
