/** The dashboard: what the browser loads first. */
import { render } from 'preact';
import { App } from './app.tsx';
import { startState } from './daemon/state.ts';
import { startSetup } from './forecast/setup.ts';
import { startRoute } from './route.ts';
import { startTheme } from './ui/theme.tsx';

startTheme();
startRoute();
startSetup();
startState();

const root = document.getElementById('app');
if (root) render(<App />, root);
