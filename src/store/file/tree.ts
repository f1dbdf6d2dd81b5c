/** Every path under `.coordination/`, and how the folder is made. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
logs/*.jsonl
.cache/
rejected/
`;

/** The folder's layout. For people: plan, tasks, context, logs, results, summary. The rest is machinery. */
export class Tree {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get plan(): string {
    return join(this.root, 'master-plan.md');
  }
  /** A copy of the newest revision, which people and agents read and may edit. */
  get tasks(): string {
    return join(this.root, 'tasks.json');
  }
  get discoveries(): string {
    return join(this.root, 'context', 'discoveries.md');
  }
  get summary(): string {
    return join(this.root, 'summary.md');
  }
  /** Settled tasks that left the board, one a line. */
  get archive(): string {
    return join(this.root, 'archive.jsonl');
  }
  get logs(): string {
    return join(this.root, 'logs');
  }
  get results(): string {
    return join(this.root, 'results');
  }
  /** Results handed in whose commit may not have happened yet. */
  get pending(): string {
    return join(this.root, '.pending');
  }
  /** The newest revisions, complete and immutable. Creating a name here is the commit. */
  get commits(): string {
    return join(this.root, '.commits');
  }
  get tmp(): string {
    return join(this.root, '.tmp');
  }
  /** Touched by every commit; waiters watch it. */
  get bell(): string {
    return join(this.root, '.bell');
  }
  get lock(): string {
    return join(this.root, '.lock');
  }
  /** Hand edits that contradict what happened meanwhile. */
  get rejected(): string {
    return join(this.root, 'rejected');
  }
  /** Which Claude Code session is which worker. */
  get sessions(): string {
    return join(this.root, '.sessions');
  }
  /** Tokens of workers over HTTP, and the one orchestrator with its agents: a log like that of the board. */
  get registry(): string {
    return join(this.root, '.registry');
  }
  /** Where tokens were kept until 0.1; taken over into the registry. */
  get oldTokens(): string {
    return join(this.root, '.tokens.json');
  }
  /** Which worktrees were told that the board of the main one is theirs. */
  get told(): string {
    return join(this.root, '.told');
  }
  get gitignore(): string {
    return join(this.root, '.gitignore');
  }

  /** Where the board is kept, if not here. */
  get config(): string {
    return join(this.root, 'config.json');
  }
  /** What this machine keeps of a board that a server holds; for its owner alone. */
  get cache(): string {
    return join(this.root, '.cache');
  }
  get copied(): string {
    return join(this.cache, 'board.json');
  }

  log(agent: string): string {
    return join(this.logs, `${agent}.log`);
  }
  /** The evidence of its results, one check a line. */
  checksOf(taskId: string): string {
    return join(this.results, `${taskId}.checks.jsonl`);
  }
  result(taskId: string): string {
    return join(this.results, `${taskId}.md`);
  }

  /** Folders that a board needs from the start; the log of commits comes with its first one. */
  folders(): string[] {
    return [this.root, join(this.root, 'context'), this.logs, this.results, this.pending, this.tmp];
  }

  /** Every folder below the root in which something is listed, written, moved or deleted. */
  workFolders(): string[] {
    return [...this.folders().slice(1), this.commits, this.rejected, this.sessions, this.registry, this.cache];
  }

  /** Makes what is missing; what is there stays as it is. */
  create(): void {
    for (const folder of this.folders()) mkdirSync(folder, { recursive: true });
    createIfAbsent(this.gitignore, GITIGNORE);
    createIfAbsent(this.discoveries, '# Discoveries\n');
  }
}
