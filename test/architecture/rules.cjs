/** Who may import whom: docs/architecture.md says why. */

/** Rooms, lowest first. A file imports its own room and lower rooms only; rooms on one floor do not know each other. */
const floors = ['model', 'store', 'formats|work', 'runner', 'faces'];
const error = (name, from, to) => ({ name, severity: 'error', from, to });
/** `what` may be imported only by files matching `where`. */
const only = (name, what, where) => error(name, { path: '^src/', pathNot: where }, { path: what });

module.exports = {
  forbidden: [
    ...floors.map((floor, i) => {
      const above = [...floors.slice(i + 1).map((upper) => `(${upper})/`), 'main\\.ts', 'index\\.ts'].join('|');
      return error(
        `no-upward-from-${floor.replace('|', '-')}`,
        { path: `^src/(${floor})/` },
        { path: `^src/(${above})` },
      );
    }),
    error('no-circular', {}, { circular: true }),
    error(
      'faces-do-not-meet',
      { path: '^src/faces/(mcp|claude-code|web)/' },
      { path: '^src/faces/[^/]+/', pathNot: '^src/faces/$1/' },
    ),
    error(
      'cli-loads-other-faces-late',
      { path: '^src/faces/cli/' },
      { path: '^src/faces/(mcp|claude-code|web)/', dynamic: false },
    ),
    error(
      'formats-and-work-do-not-meet',
      { path: '^src/(formats|work)/' },
      { path: '^src/(formats|work)/', pathNot: '^src/$1/' },
    ),
    error('model-is-pure', { path: '^src/model/' }, { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/zod/' }),
    // An adapter knows its own folder and the ports; these choose among them.
    only(
      'only-open-names-adapters',
      '^src/store/(file|memory|postgres)/',
      '^src/store/((open|place|server|move-board|sessions)\\.ts|(file|memory|postgres)/)',
    ),
    error(
      'adapters-do-not-meet',
      { path: '^src/store/(file|memory|postgres)/' },
      { path: '^src/store/(file|memory|postgres)/', pathNot: '^src/store/$1/' },
    ),
    // The board's files in store/file/; files that people bring in formats/; settings of Claude Code; the page's own files; /proc; descriptors 1 and 2.
    only(
      'fs-where-files-are',
      '^(node:)?fs(/|$)',
      '^src/(store/(file/|move-board\\.ts)|contract/|formats/|faces/claude-code/settings-files\\.ts|faces/cli/editor\\.ts|faces/web/assets\\.ts|work/|main\\.ts)',
    ),
    only(
      'lock-and-watch-in-file-store',
      'node_modules/(proper-lockfile|@types/proper-lockfile|chokidar)/',
      '^src/store/file/',
    ),
    only(
      'child-process-where-processes-start',
      '^(node:)?child_process$',
      '^src/(runner/agents/|work/|faces/cli/(browser|editor|notify)\\.ts)',
    ),
    only('pg-in-postgres', 'node_modules/(pg|pgpass|pg-connection-string|@types/pg)/', '^src/store/postgres/'),
    only('sdk-in-mcp', 'node_modules/@modelcontextprotocol/', '^src/faces/mcp/'),
    only('commander-and-chalk-in-cli', 'node_modules/(commander|chalk)/', '^src/faces/cli/'),
    only('terminal-packages-in-cli', 'node_modules/(string-width|cli-truncate|log-update)/', '^src/faces/cli/'),
    only('readers-in-formats', 'node_modules/(yaml|papaparse)/', '^src/formats/'),
    only('markdown-where-it-is-read', 'node_modules/marked/', '^src/(formats|faces/web/page)/'),
    only('server-packages-in-web', 'node_modules/(hono|@hono)/', '^src/faces/web/[^/]+$'),
    only('page-packages-in-page', 'node_modules/(preact|dompurify|@dagrejs|eventsource)/', '^src/faces/web/page/'),
    // It runs in a browser: of ours it has the rules, what it says to its server, and how durations are written.
    error(
      'page-knows-rules-only',
      { path: '^src/faces/web/page/' },
      { path: '^src/', pathNot: '^src/(model/|faces/web/(page/|api\\.ts)|faces/durations\\.ts)' },
    ),
    error('page-is-no-program', { path: '^src/faces/web/page/' }, { dependencyTypes: ['core'] }),
    error(
      'nobody-needs-the-page',
      { path: '^src/', pathNot: '^src/faces/web/page/' },
      { path: '^src/faces/web/page/' },
    ),
    only(
      'settings-packages-in-claude-code',
      'node_modules/(jsonc-parser|diff)/',
      '^src/(faces/claude-code/|store/file/malformed\\.ts|formats/json\\.ts)',
    ),
    // The suites for whoever writes a store know the ports, and are known by no other room.
    error(
      'contract-knows-ports-only',
      { path: '^src/contract/' },
      { path: '^src/(store/(file|memory|postgres)/|runner|formats|work|faces|main|index)' },
    ),
    error('nobody-needs-the-contract', { path: '^src/', pathNot: '^src/contract/' }, { path: '^src/contract/' }),
    error('not-unresolvable', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
