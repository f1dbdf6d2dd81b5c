import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { HttpError } from './errors.js';

const secret = randomBytes(32);
const sign = (payload) => createHmac('sha256', secret).update(payload).digest();

export function makeToken(userId, lifetimeMs = 3_600_000) {
  const payload = Buffer.from(JSON.stringify({ userId, expires: Date.now() + lifetimeMs })).toString('base64url');
  return `${payload}.${sign(payload).toString('base64url')}`;
}

export function readToken(token) {
  const [payload = '', signature = ''] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  const expected = sign(payload);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new HttpError(401, 'bad token');
  const { userId, expires } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  if (Date.now() > expires) throw new HttpError(401, 'token has expired');
  return userId;
}
