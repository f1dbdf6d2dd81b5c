import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readToken } from '../src/token.js';
import { makeServer } from '../src/server.js';

const server = makeServer();
let base;
before(
  () =>
    new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((base = `http://127.0.0.1:${server.address().port}`))),
    ),
);
after(() => server.close());

async function call(method, path, body) {
  const response = await fetch(base + path, { method, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}
const ann = { email: 'Ann@example.org', name: 'Ann', password: 'correct horse' };

test('create, log in, list, delete', async () => {
  const created = await call('POST', '/users', ann);
  assert.equal(created.status, 201);
  assert.deepEqual(Object.keys(created.body), ['id', 'email', 'name']);
  const { body } = await call('POST', '/login', ann);
  assert.equal(readToken(body.token), created.body.id);
  assert.equal((await call('GET', '/users')).body.length, 1);
  assert.equal((await call('POST', '/users', ann)).status, 409);
  assert.equal((await call('DELETE', `/users/${created.body.id}`)).status, 204);
  assert.equal((await call('GET', `/users/${created.body.id}`)).status, 404);
});

test('errors name what is wrong', async () => {
  assert.equal((await call('POST', '/users', { ...ann, email: 'x' })).body.error, 'email is not an e-mail address');
  assert.equal((await call('POST', '/users', { ...ann, password: 'x' })).body.error, 'password is too short');
  assert.equal((await call('POST', '/login', { email: 'nobody@example.org', password: 'x' })).status, 401);
  assert.equal((await call('GET', '/nothing')).status, 404);
  assert.throws(() => readToken('forged.token'), { status: 401 });
});
