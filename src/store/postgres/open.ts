/** What open.ts of the store needs of PostgreSQL, loaded with the first use of a board that is kept there. */
import type { StoreAddress } from '../address.ts';
import type { Registry } from '../registry.ts';
import { PostgresBackend, type PostgresOptions } from './backend.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { PostgresRegistry } from './registry.ts';

export function openBackend(address: StoreAddress, options: PostgresOptions & DatabaseOptions): PostgresBackend {
  return new PostgresBackend(Database.of(address, options), address, options);
}

/** @param local  keeps what is this machine's alone: its processes */
export function openRegistry(address: StoreAddress, options: DatabaseOptions, local: Registry): Registry {
  return new PostgresRegistry(address, options, local);
}
