/** The package has no types of its own. */
declare module 'pgpass' {
  /** Looks up PGPASSFILE or ~/.pgpass. */
  export default function pgpass(
    connection: { host?: string; port?: number; database?: string; user?: string },
    done: (password: string | undefined) => void,
  ): void;
}
