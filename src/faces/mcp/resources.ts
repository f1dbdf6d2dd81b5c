/** The board as resources, for people who mention them with @ and clients that browse. */
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { isSettled } from '../../model/lifecycle.ts';
import { clip } from '../../model/text.ts';
import { refusalText } from './errors.ts';
import type { Session } from './session.ts';
import { statusView, taskView } from './views.ts';

/** Tasks that the list of resources names. */
const LISTED = 50;
/** Ids that a completion offers; the protocol's own limit. @see https://modelcontextprotocol.io/specification (completion) */
const COMPLETED = 100;

export function addResources(server: McpServer, session: Session): void {
  const markdown = { mimeType: 'text/markdown' };
  const json = { mimeType: 'application/json' };
  server.registerResource('status', 'coord://status', { ...json, description: 'How the board stands.' }, (uri) =>
    contents(uri, json, async () => JSON.stringify(await statusView(session.store, session.worker, {}))),
  );
  server.registerResource('plan', 'coord://plan', { ...markdown, description: 'Goal and approach.' }, (uri) =>
    contents(uri, markdown, () => session.store.readPlan()),
  );
  server.registerResource(
    'discoveries',
    'coord://discoveries',
    { ...markdown, description: 'What workers found out.' },
    (uri) =>
      contents(uri, markdown, async () => {
        const found = await session.store.discoveries();
        return found.map(({ content, worker }) => `- ${content.replaceAll('\n', '\n  ')} (${worker})`).join('\n');
      }),
  );
  server.registerResource(
    'task',
    new ResourceTemplate('coord://task/{id}', {
      list: async () => ({ resources: await openTasks(session) }),
      complete: { id: async (start) => (await ids(session)).filter((id) => id.startsWith(start)).slice(0, COMPLETED) },
    }),
    { ...json, description: 'One task whole.' },
    (uri, { id }) => contents(uri, json, async () => JSON.stringify(await taskView(session.store, String(id)))),
  );
  server.server.setRequestHandler('resources/subscribe', (request) => {
    session.subscribe(request.params.uri);
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', (request) => {
    session.unsubscribe(request.params.uri);
    return {};
  });
}

async function contents(
  uri: URL,
  type: { mimeType: string },
  read: () => Promise<string>,
): Promise<{ contents: { uri: string; mimeType: string; text: string }[] }> {
  try {
    return { contents: [{ uri: uri.href, ...type, text: await read() }] };
  } catch (error) {
    throw new Error(refusalText(error), { cause: error });
  }
}

async function openTasks(session: Session): Promise<{ name: string; uri: string; description: string }[]> {
  try {
    const { tasks } = await session.store.read();
    session.watchResources();
    return tasks
      .filter((task) => !isSettled(task))
      .slice(0, LISTED)
      .map((task) => ({ name: task.id, uri: `coord://task/${task.id}`, description: clip(task.description) }));
  } catch {
    return []; // no board yet: nothing to list, and reading one of the others says why
  }
}

async function ids(session: Session): Promise<string[]> {
  try {
    return (await session.store.read()).tasks.map((task) => task.id);
  } catch {
    return [];
  }
}
