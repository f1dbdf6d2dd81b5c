/** Begins the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { answerOtherTabs, askOtherTabs, takeToken, tokenOfTab } from './route.ts';
import { begin, isLive } from './state.ts';

takeToken();
// A new link may be opened in a tab that has an old one: only what stands behind the # differs then.
addEventListener('hashchange', () => {
  if (takeToken()) location.reload();
});
if (tokenOfTab() === '') await askOtherTabs();
answerOtherTabs(isLive);
begin(tokenOfTab(), (state) => render(<App state={state} />, document.body));
