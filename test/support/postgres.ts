/** The server that all tests share. */
import { inject } from 'vitest';
import { newDatabaseAt } from './postgres-server.ts';

export const HAS_POSTGRES = inject('postgres') !== '';

/** A database of its own on the server that all tests share, with the tables in it. @returns its address */
export function newDatabase(options: { migrate?: boolean } = {}): Promise<string> {
  return newDatabaseAt(inject('postgres'), options);
}
