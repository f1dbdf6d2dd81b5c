/** Rooms, lowest first. A file imports its own room and lower rooms only. */
const rooms = ['model', 'store', 'mcp|orchestrator', 'cli'];
const error = (name, from, to) => ({ name, severity: 'error', from, to });
/** `what` may be imported only by files matching `where`. */
const only = (name, what, where) => error(name, { path: '^src/', pathNot: where }, { path: what });

module.exports = {
  forbidden: [
    ...rooms.map((room, i) => {
      const above = [...rooms.slice(i + 1).map((upper) => `(${upper})/`), 'main\\.ts', 'index\\.ts'].join('|');
      return error(
        `no-upward-from-${room.replace('|', '-')}`,
        { path: `^src/(${room})/` },
        { path: `^src/(${above})` },
      );
    }),
    error('no-circular', {}, { circular: true }),
    error(
      'faces-do-not-meet',
      { path: '^src/(mcp|orchestrator)/' },
      { path: '^src/(mcp|orchestrator)/', pathNot: '^src/$1/' },
    ),
    error('model-is-pure', { path: '^src/model/' }, { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/zod/' }),
    only(
      'only-open-names-adapters',
      '^src/store/(file|engine|memory)',
      '^src/store/((open|find|sessions)\\.ts|file/|engine/|memory)',
    ),
    // task-file.ts and orchestration-file.ts read what a person wrote; processes.ts reads /proc; main.ts writes to
    // descriptors 1 and 2.
    only(
      'fs-in-file-store',
      '^(node:)?fs(/|$)',
      '^src/(store/(file/|open\\.ts|find\\.ts|task-file\\.ts|orchestration-file\\.ts|settings-files\\.ts)|orchestrator/processes\\.ts|main\\.ts)',
    ),
    only(
      'lock-and-watch-in-file-store',
      'node_modules/(proper-lockfile|@types/proper-lockfile|chokidar)/',
      '^src/store/file/',
    ),
    // `coord worker run` starts the command that it is given; Claude processes belong to the orchestrator.
    only(
      'child-process-where-processes-start',
      '^(node:)?child_process$',
      '^src/(orchestrator/(claude|processes)|cli/worker-run)\\.ts',
    ),
    only('sdk-in-mcp', 'node_modules/@modelcontextprotocol/', '^src/mcp/'),
    only('terminal-in-cli', 'node_modules/(commander|chalk)/', '^src/(cli/|main\\.ts)'),
    error('not-unresolvable', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
