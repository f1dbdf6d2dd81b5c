import { randomUUID } from 'node:crypto';
import { HttpError } from './errors.js';

export function makeUser({ email, name } = {}) {
  if (typeof email !== 'string' || !/^[^@\s]+@[^@\s]+$/.test(email))
    throw new HttpError(400, 'email is not an e-mail address');
  if (typeof name !== 'string' || name.trim() === '') throw new HttpError(400, 'name is missing');
  return { id: randomUUID(), email: email.toLowerCase(), name: name.trim() };
}
