/** Every path under `.coordination/`, and how the folder is made. */
import { mkdirSync } from 'node:fs';
import { sep } from 'node:path';
import { createIfAbsent } from './atomic.ts';

export const TREE_NAME = '.coordination';

const GITIGNORE = `# Machinery of coord. The plan, tasks, context and results above it may be committed.
.lock
.bell
.told
.commits/
.tmp/
.pending/
.registry/
.tokens.json
.agents/
.sessions/
messages/
logs/*.jsonl
.cache/
rejected/
`;

/** The folder's layout. For people: plan, tasks, context, logs, results, summary. The rest is machinery. */
export class Tree {
  readonly root: string;

  /** @param root  absolute, as `resolve` gives it */
  constructor(root: string) {
    this.root = root;
  }

  /** Without `join`: it would take dozens of paths apart again in each command, for as long that V8 optimises it and the process waits for that. */
  #in(name: string): string {
    return `${this.root}${sep}${name}`;
  }

  get plan(): string {
    return this.#in('master-plan.md');
  }
  /** A copy of the newest revision, which people and agents read and may edit. */
  get tasks(): string {
    return this.#in('tasks.json');
  }
  get discoveries(): string {
    return this.#in(`context${sep}discoveries.md`);
  }
  get summary(): string {
    return this.#in('summary.md');
  }
  /** Settled tasks that left the board, one a line. */
  get archive(): string {
    return this.#in('archive.jsonl');
  }
  get logs(): string {
    return this.#in('logs');
  }
  get results(): string {
    return this.#in('results');
  }
  /** Results handed in whose commit may not have happened yet. */
  get pending(): string {
    return this.#in('.pending');
  }
  /** The newest revisions, complete and immutable. Creating a name here is the commit. */
  get commits(): string {
    return this.#in('.commits');
  }
  get tmp(): string {
    return this.#in('.tmp');
  }
  /** Touched by every commit; waiters watch it. */
  get bell(): string {
    return this.#in('.bell');
  }
  get lock(): string {
    return this.#in('.lock');
  }
  /** Hand edits that contradict what happened meanwhile. */
  get rejected(): string {
    return this.#in('rejected');
  }
  /** Which Claude Code session is which worker. */
  get sessions(): string {
    return this.#in('.sessions');
  }
  /** One file a message; how far each reader has read is beside them. */
  get messages(): string {
    return this.#in('messages');
  }
  get seen(): string {
    return this.#in(`messages${sep}seen`);
  }
  /** Tokens of workers over HTTP, and the one orchestrator with its agents: a log like that of the board. */
  get registry(): string {
    return this.#in('.registry');
  }
  /** Where tokens were kept until 0.1; taken over into the registry. */
  get oldTokens(): string {
    return this.#in('.tokens.json');
  }
  /** Which worktrees were told that the board of the main one is theirs. */
  get told(): string {
    return this.#in('.told');
  }
  get gitignore(): string {
    return this.#in('.gitignore');
  }

  /** Where the board is kept, if not here. */
  get config(): string {
    return this.#in('config.json');
  }
  /** What this machine keeps of a board that a server holds; for its owner alone. */
  get cache(): string {
    return this.#in('.cache');
  }
  get copied(): string {
    return this.#in(`.cache${sep}board.json`);
  }

  log(agent: string): string {
    return this.#in(`logs${sep}${agent}.log`);
  }
  /** The evidence of its results, one check a line. */
  checksOf(taskId: string): string {
    return this.#in(`results${sep}${taskId}.checks.jsonl`);
  }
  result(taskId: string): string {
    return this.#in(`results${sep}${taskId}.md`);
  }

  /** Folders that a board needs from the start; the log of commits comes with its first one. */
  folders(): string[] {
    return [this.root, this.#in('context'), this.logs, this.results, this.pending, this.tmp];
  }

  /** Every folder below the root in which something is listed, written, moved or deleted. */
  workFolders(): string[] {
    return [
      ...this.folders().slice(1),
      this.commits,
      this.rejected,
      this.sessions,
      this.messages,
      this.seen,
      this.registry,
      this.cache,
    ];
  }

  /** Makes what is missing; what is there stays as it is. */
  create(): void {
    for (const folder of this.folders()) mkdirSync(folder, { recursive: true });
    createIfAbsent(this.gitignore, GITIGNORE);
    createIfAbsent(this.discoveries, '# Discoveries\n');
  }
}
