import { HttpError } from './errors.js';

export class Router {
  #routes = [];

  on(method, path, handle) {
    const names = [];
    const pattern = new RegExp(`^${path.replace(/:(\w+)/g, (_, name) => (names.push(name), '([^/]+)'))}$`);
    this.#routes.push({ method, pattern, names, handle });
    return this;
  }

  find(method, path) {
    for (const { method: wanted, pattern, names, handle } of this.#routes) {
      const match = wanted === method && pattern.exec(path);
      if (match) return { handle, params: Object.fromEntries(names.map((name, i) => [name, match[i + 1]])) };
    }
    throw new HttpError(404, 'no such path');
  }
}
