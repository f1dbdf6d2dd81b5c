import { HttpError } from './errors.js';

export class UserStore {
  #users = new Map();

  add(user) {
    if (this.findByEmail(user.email)) throw new HttpError(409, 'email is taken');
    this.#users.set(user.id, user);
    return user;
  }

  get(id) {
    const user = this.#users.get(id);
    if (!user) throw new HttpError(404, 'no such user');
    return user;
  }

  findByEmail(email) {
    return [...this.#users.values()].find((user) => user.email === email);
  }

  list() {
    return [...this.#users.values()];
  }

  remove(id) {
    this.get(id);
    this.#users.delete(id);
  }
}
