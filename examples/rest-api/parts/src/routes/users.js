import { readJson } from '../body.js';
import { HttpError } from '../errors.js';
import { hashPassword } from '../password.js';
import { makeUser } from '../user.js';

const shown = ({ id, email, name }) => ({ id, email, name });

export function addUserRoutes(router, store) {
  return router
    .on('GET', '/users', () => ({ status: 200, body: store.list().map(shown) }))
    .on('GET', '/users/:id', ({ params }) => ({ status: 200, body: shown(store.get(params.id)) }))
    .on('POST', '/users', async ({ request }) => {
      const input = await readJson(request);
      if (typeof input.password !== 'string' || input.password.length < 8)
        throw new HttpError(400, 'password is too short');
      const user = store.add({ ...makeUser(input), hash: hashPassword(input.password) });
      return { status: 201, body: shown(user) };
    })
    .on('DELETE', '/users/:id', ({ params }) => {
      store.remove(params.id);
      return { status: 204 };
    });
}
