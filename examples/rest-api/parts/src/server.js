import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { HttpError } from './errors.js';
import { Router } from './router.js';
import { addLoginRoute } from './routes/login.js';
import { addUserRoutes } from './routes/users.js';
import { UserStore } from './store.js';

export function makeServer(store = new UserStore()) {
  const router = addLoginRoute(addUserRoutes(new Router(), store), store);
  return createServer(async (request, response) => {
    let answer;
    try {
      const { handle, params } = router.find(request.method, new URL(request.url, 'http://localhost').pathname);
      answer = await handle({ request, params });
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      answer = { status, body: { error: status === 500 ? 'internal error' : error.message } };
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) makeServer().listen(3000);
