/** One process of Claude Code, from its start to its end. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { clip } from '../../../model/text.ts';
import type { ProcessId } from '../../../store/registry.ts';
import type { FailureKind, Job, Outcome } from '../../agent.ts';
import { allOf, killAndWait, processesMarked, signalAll, signalOne, treeOf } from '../../../work/processes.ts';
import { ClaudeStream } from './stream.ts';

/** Heartbeats come every 30 s while a tool runs: such a silence is the end. */
const SILENCE_MS = 600_000;
/** Between SIGINT, which still gives a result with its cost, SIGTERM, and SIGKILL. */
const GRACE_MS = 5000;
/** How long background shells may go on after the last result. */
const BACKGROUND_MS = 30_000;
/** How long the last lines of an ended process may take, if a descendant holds its streams open. */
const STREAM_GRACE_MS = 500;

/** For tests: the patience between the steps of stopping, and with silence and background shells. */
export interface Patience {
  graceMs?: number | undefined;
  silenceMs?: number | undefined;
  backgroundMs?: number | undefined;
}

export class Running {
  readonly #child: ChildProcess;
  readonly #job: Job;
  readonly #stream: ClaudeStream;
  readonly #patience: { grace: number; silence: number; background: number };
  /** Why it was stopped, by us. */
  #stopped: { kind: FailureKind; reason: string } | undefined;
  #isStopping = false;
  /** All that has been seen to descend from it. */
  #tree: ProcessId[] = [];
  #timers = new Set<NodeJS.Timeout>();
  #stderr = '';
  readonly #mark: string;
  /** How the process ended, in words. */
  readonly #ending: Promise<string>;

  constructor(child: ChildProcess, job: Job, mark: string, patience: Patience) {
    this.#child = child;
    this.#job = job;
    this.#mark = mark;
    this.#ending = this.#ended();
    child.stdin?.on('error', () => {}); // it ended before it read its prompt: the exit says why
    this.#stream = new ClaudeStream(job.cwd);
    this.#patience = {
      grace: patience.graceMs ?? GRACE_MS,
      silence: patience.silenceMs ?? SILENCE_MS,
      background: patience.backgroundMs ?? BACKGROUND_MS,
    };
  }

  async end(): Promise<Outcome> {
    const { signal, timeoutMs } = this.#job;
    const interrupt = (): void => this.#stop('interrupted', 'it was interrupted');
    signal.addEventListener('abort', interrupt, { once: true });
    if (timeoutMs !== undefined)
      this.#after(timeoutMs, () => this.#stop('timeout', `it took longer than ${Math.round(timeoutMs / 1000)} s`));
    this.#read();
    this.#child.stdin?.write(
      `${JSON.stringify({ type: 'user', message: { role: 'user', content: this.#job.prompt } })}\n`,
    );
    if (signal.aborted) interrupt();
    try {
      const ending = await this.#ending;
      await killAndWait(allOf(this.#tree, processesMarked(this.#mark))); // what it left behind
      return this.#outcome(ending);
    } finally {
      signal.removeEventListener('abort', interrupt);
      for (const timer of this.#timers) clearTimeout(timer);
    }
  }

  #read(): void {
    const { stdout, stderr } = this.#child;
    let silence: NodeJS.Timeout | undefined;
    const hear = (): void => {
      if (silence) this.#forget(silence);
      silence = this.#after(this.#patience.silence, () =>
        this.#stop('stalled', `nothing was heard of it for ${Math.round(this.#patience.silence / 1000)} s`),
      );
    };
    hear();
    stderr?.on('data', (chunk: Buffer) => (this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-2000)));
    if (!stdout) return;
    createInterface({ input: stdout }).on('line', (line) => {
      hear();
      this.#job.onLine(line);
      const hadResult = this.#stream.hasResult;
      const action = this.#stream.take(line);
      if (action !== undefined) this.#job.onAction(action);
      for (const name of this.#stream.brokenServers.splice(0))
        this.#job.onWarning(`${this.#job.worker} works without the MCP server ${name}, which could not be started.`);
      if (this.#stream.isUnauthenticated) this.#stop('authentication', 'the API refused the login');
      if (this.#stream.hasResult && !hadResult) this.#wind();
    });
  }

  /** After the result nothing more is said to it; background shells may end, for a while. */
  #wind(): void {
    this.#look();
    this.#child.stdin?.end();
    this.#after(this.#patience.background, () => {
      this.#look();
      this.#signal('SIGTERM');
      this.#after(this.#patience.grace, () => signalAll(this.#tree, 'SIGKILL'));
    });
  }

  /** SIGINT first, which lets it say what it cost; then harder. */
  #stop(kind: FailureKind, reason: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    // A result that is in hand stands: all that is stopped then is what goes on behind it.
    if (!this.#stream.hasResult) this.#stopped = { kind, reason };
    this.#look();
    this.#signal('SIGINT');
    this.#after(this.#patience.grace, () => {
      this.#look();
      this.#signal('SIGTERM');
      this.#after(this.#patience.grace, () => {
        this.#look();
        signalAll(this.#tree, 'SIGKILL');
      });
    });
  }

  /** Takes the tree down while its root still lives; a later look would miss what has lost its parent. */
  #look(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#tree = allOf(this.#tree, treeOf(pid), processesMarked(this.#mark));
  }

  /** At once, and all of it. */
  kill(): void {
    this.#look();
    signalAll(this.#tree, 'SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) signalOne(this.#child.pid, signal);
  }

  #ended(): Promise<string> {
    return new Promise((resolve) => {
      let how = '';
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', (code, signal) => {
        how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
        this.#after(STREAM_GRACE_MS, () => {
          this.#child.stdout?.destroy();
          this.#child.stderr?.destroy();
        });
      });
      this.#child.once('close', () => resolve(how));
    });
  }

  #outcome(ending: string): Outcome {
    const report = this.#stream.report();
    const said = this.#stderr.trim() === '' ? ending : `${ending}: ${clip(this.#stderr, 500)}`;
    const failure = this.#stopped ?? this.#stream.failure(this.#job.schema !== undefined, said);
    if (failure) return { ok: false, ...failure, ...report };
    return { ok: true, structured: this.#stream.structured, ...report };
  }

  #after(ms: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #forget(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
