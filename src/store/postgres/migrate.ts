/** Makes the tables, or brings them to the version of this coord. For their owner. */
import type { Database, Trip } from './database.ts';
import { MAKE_SCHEMA, MIGRATION_LOCK, SCHEMA_VERSION, stepsFrom } from './schema.ts';

/** @returns 0 where there are none */
export async function versionOf(trip: Trip): Promise<number> {
  const [[there] = []] = await trip({ text: "SELECT to_regclass('coord.meta') IS NOT NULL AS is_there" });
  if (there?.['is_there'] !== true) return 0;
  const [[row] = []] = await trip({ text: 'SELECT version FROM coord.meta' });
  return Number(row?.['version'] ?? 0);
}

/** All or nothing; of several at once each finds what the one before it has left. @returns the versions before and after */
export function migrate(database: Database): Promise<{ from: number; to: number }> {
  return database.run(async (trip) => {
    await trip({ text: 'BEGIN' }, { text: 'SELECT pg_advisory_xact_lock($1)', values: [MIGRATION_LOCK] });
    try {
      const from = await versionOf(trip);
      const [[schema] = []] = await trip({ text: "SELECT to_regnamespace('coord') IS NOT NULL AS is_there" });
      // Who may make tables in a schema that somebody made for them may not make schemas.
      const making = from === 0 && schema?.['is_there'] !== true ? [MAKE_SCHEMA] : [];
      const steps = [...making, ...stepsFrom(from)].map((text) => ({ text }));
      await trip(...steps, { text: 'COMMIT' });
      return { from, to: Math.max(from, SCHEMA_VERSION) };
    } catch (error) {
      await trip({ text: 'ROLLBACK' }).catch(() => {}); // the connection may be gone
      throw error;
    }
  });
}
