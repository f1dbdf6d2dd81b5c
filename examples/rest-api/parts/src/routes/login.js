import { readJson } from '../body.js';
import { HttpError } from '../errors.js';
import { checkPassword } from '../password.js';
import { makeToken } from '../token.js';

export function addLoginRoute(router, store) {
  return router.on('POST', '/login', async ({ request }) => {
    const { email = '', password = '' } = await readJson(request);
    const user = store.findByEmail(String(email).toLowerCase());
    if (!user || !checkPassword(String(password), user.hash)) throw new HttpError(401, 'wrong e-mail or password');
    return { status: 200, body: { token: makeToken(user.id) } };
  });
}
