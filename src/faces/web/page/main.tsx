/** Begins the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { takeToken } from './route.ts';
import { begin } from './state.ts';

begin(takeToken(), (state) => render(<App state={state} />, document.body));
