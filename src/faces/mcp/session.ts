/**
 * What one connection, or one worker over HTTP, keeps between calls: the store, the worker's name, and the leases of the
 * claims made through it. The SDK may build several servers for one connection; they all share this.
 */
import type { McpServer } from '@modelcontextprotocol/server';
import { heldBy, isSettled } from '../../model/lifecycle.ts';
import { CoordError } from '../../model/errors.ts';
import { DEFAULT_LEASE_SECONDS, LEADER } from '../../model/limits.ts';
import { initStore, openStore, type OpenOptions } from '../../store/open.ts';
import type { Task } from '../../model/task.ts';
import { sessionTag } from '../../model/session-tag.ts';
import { listenerId, openSessions } from '../../store/sessions.ts';
import { forgetAsking, hasNews, type Listener, rememberAsking, takeNews } from '../news.ts';
import { bindClaim, bindLeader, rememberGivenBack, type SessionAround } from '../session-binding.ts';
import { newsView } from './views.ts';
import { sayWhereKept } from '../../store/places.ts';
import type { Moment, Store } from '../../store/store.ts';
import type { Complete, CompleteAnswer } from '../../model/verbs/complete.ts';
import { handIn } from '../hand-in.ts';
import type { Claimed } from '../../model/verbs/claim.ts';
import type { LandingLoop } from '../../work/landing-loop.ts';
import type { Prepared } from '../../work/worktrees.ts';
import { keepLease } from '../../store/wait.ts';
import { LONGEST_WAIT, LONGEST_WAIT_OF_OTHERS } from './wait-for-task.ts';

/** Resources that one connection may subscribe to. */
const MOST_SUBSCRIBED = 200;
const LONGEST_URI = 1000;
/** How long the list of resources rests before clients are told that it changed. */
const QUIET_MS = 5000;

export interface SessionOptions {
  openOptions: OpenOptions;
  /** The name of whoever calls without naming a worker. */
  worker: string;
  /** True where the name comes from a token: no argument may name another. */
  isBound: boolean;
  /** True where the session ends with its process, which then renews the leases of its claims until that moment. */
  renewsLeases: boolean;
  version: string;
  /** Of the checks that it runs. */
  env: Readonly<Record<string, string | undefined>>;
  /** Of the Claude Code session that started this process, whose hooks look after its claims. */
  claudeSessionId?: string | undefined;
  /** Its process id, as the client says it. */
  claudePid?: string | undefined;
  /** COORD_MCP_WAIT_MAX: the longest wait in seconds, whatever the client. */
  longestWaitSeconds?: number | undefined;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #ending = new AbortController();
  readonly #leases = new Map<string, AbortController>();
  readonly #servers = new Set<McpServer>();
  readonly #subscribed = new Set<string>();
  readonly #checking = new Map<string, Checking>();
  #store: Store | undefined;
  #isWatching = false;
  #landing: LandingLoop | undefined;
  /** What came of landings, by task. */
  readonly #landed = new Map<string, string>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get worker(): string {
    return this.#options.worker;
  }
  get version(): string {
    return this.#options.version;
  }
  /** Aborts when the connection ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Opened when it is first needed: there may be no board yet. @throws CoordError `not-initialised` */
  get store(): Store {
    return (this.#store ??= openStore(this.#options.openOptions));
  }

  /** Makes the board, unless there is one already. @returns whether it was made */
  async init(input: { goal: string; approach?: string | undefined }): Promise<boolean> {
    try {
      const { store } = await initStore(
        { goal: input.goal, ...(input.approach === undefined ? {} : { approach: input.approach }) },
        this.#options.openOptions,
      );
      this.#store = store;
      return true;
    } catch (error) {
      if (!(error instanceof CoordError) || error.code !== 'already-initialised') throw error;
      return false;
    }
  }

  /** Who calls. Subagents of one terminal share its process and tell themselves apart by this argument. */
  callerOf(input: { worker?: string | undefined }): string {
    if (input.worker === undefined || input.worker === this.worker) return this.worker;
    if (!this.#options.isBound) return input.worker;
    throw new CoordError('invalid-input', `This token works as ${this.worker}, not as ${input.worker}.`);
  }

  /** Whether calls may be made under this name. */
  mayBe(worker: string): boolean {
    return worker === this.worker || !this.#options.isBound;
  }

  /** Who speaks: a session that is no worker's, and says nothing else, is whoever leads. */
  async speaker(worker: string | undefined): Promise<string> {
    const from = this.callerOf({ worker });
    const { isBound, env } = this.#options;
    if (worker !== undefined || isBound || env['COORD_WORKER'] || env['COORD_ORCHESTRATED']) return from;
    return heldBy((await this.store.read()).tasks, from).length > 0 ? from : LEADER;
  }

  /** The longest that a call of this client may wait, in seconds. */
  longestWait(clientName: string | undefined, hasProgress: boolean): number {
    if (this.#options.longestWaitSeconds !== undefined) return this.#options.longestWaitSeconds;
    const known = LONGEST_WAIT.find(({ client }) => client.test(clientName ?? ''));
    return known && hasProgress ? known.seconds : LONGEST_WAIT_OF_OTHERS;
  }

  /**
   * Hands in a result, checked where there is a tree: over HTTP there is none of the worker's.
   *
   * @param seconds  how long the client waits; then the answer is `checking`, and the next call waits for the same run
   */
  async handIn(
    input: Complete,
    seconds: number,
    onProgress: ((command: string, seconds: number) => void) | undefined,
  ): Promise<(CompleteAnswer & Moment) | 'checking'> {
    if (this.#options.isBound) return this.#handInUnchecked(input);
    const key = JSON.stringify(input);
    const known = this.#checking.get(key);
    const checking = known ?? this.#check(input);
    checking.onProgress = onProgress;
    this.#checking.set(key, checking);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'checking'>((resolve) => (timer = setTimeout(() => resolve('checking'), seconds * 1000)));
    let isOver = true;
    try {
      const end = await Promise.race([checking.end, late]);
      isOver = end !== 'checking';
      return end;
    } finally {
      clearTimeout(timer);
      if (isOver) this.#checking.delete(key);
    }
  }

  /** Where this process works, for whatever it runs. */
  get #place() {
    const { openOptions, env } = this.#options;
    return { openOptions, cwd: openOptions.cwd ?? '.', env, signal: this.signal };
  }

  /** Makes the worktree of a claim, also where the client does not wait for it: then it asks again. Over HTTP there is no place of the worker's to make it in. */
  async prepare(claimed: Claimed): Promise<Prepared | undefined> {
    if (this.#options.isBound || claimed.task.branch === undefined) return undefined;
    const { prepareClaim } = await import('../../work/worktrees.ts');
    return prepareClaim(this.store, claimed, this.#place);
  }

  /**
   * Lands what is queued; it goes on when whoever asked does not wait any longer.
   *
   * @returns how the task stands then, and what was said of it
   */
  async land(id: string, seconds: number): Promise<{ task: Task | undefined; said: string | undefined }> {
    this.#landed.delete(id); // of an earlier time
    const loop = await this.#loop();
    loop?.run().catch(() => {}); // what does not land stays queued, and is told by whoever looks
    const { waitFor } = await import('../../store/wait.ts');
    const find = async (): Promise<Task | undefined> => (await this.store.read()).tasks.find((task) => task.id === id);
    const look = async (): Promise<{ answer: Task | undefined } | { wakeAt: null }> => {
      const task = await find();
      return task?.status === 'submitted' && loop?.isRunning === true ? { wakeAt: null } : { answer: task };
    };
    const options = { timeoutMs: seconds * 1000, signal: this.signal };
    const task = await waitFor(this.store, look, options).catch(() => find());
    const { outcomeText } = await import('../../work/landing.ts');
    return { task, said: (task && outcomeText(task)) ?? this.#landed.get(id) };
  }

  /** Over HTTP nothing lands: there is no tree of the worker's here. */
  async #loop(): Promise<LandingLoop | undefined> {
    if (this.#options.isBound) return undefined;
    const [{ Lander, landingText }, { LandingLoop: Loop }] = await Promise.all([
      import('../../work/landing.ts'),
      import('../../work/landing-loop.ts'),
    ]);
    return (this.#landing ??= new Loop(new Lander({ ...this.#place, store: this.store, by: this.worker }), (end) =>
      this.#landed.set(end.task.id, landingText(end)),
    ));
  }

  #check(input: Complete): Checking {
    const end = handIn(this.store, input, () => ({
      ...this.#place,
      onProgress: (command, seconds) => checking.onProgress?.(command, seconds),
    }));
    end.catch(() => {}); // told to whoever waits, or asks next
    const checking: Checking = { end, onProgress: undefined };
    return checking;
  }

  async #handInUnchecked(input: Complete): Promise<CompleteAnswer & Moment> {
    try {
      return await this.store.complete(input);
    } catch (error) {
      if (!(error instanceof CoordError) || error.code !== 'unchecked') throw error;
      const unchanged = input.no_changes === true ? { unchanged: true } : {};
      return this.store.complete({ ...input, proof: { unchecked: true, ...unchanged } });
    }
  }

  /** Renews the lease of a claim until the task is handed in, or the session ends. */
  holds(worker: string, taskId: string, leaseSeconds: number): void {
    this.drops(taskId);
    if (!this.#options.renewsLeases || this.signal.aborted) return;
    const lease = new AbortController();
    this.#leases.set(taskId, lease);
    keepLease(this.store, { worker, taskId, leaseSeconds }, lease.signal, () => this.drops(taskId));
  }

  /** The session of Claude Code around this process, where that is this worker's: a subagent's name is not the session's. */
  #around(worker: string): SessionAround | undefined {
    const { claudeSessionId: id, claudePid: pid, openOptions } = this.#options;
    return id && worker === this.worker ? { openOptions, id, pid } : undefined;
  }

  /** What names it on the board. */
  tagOf(worker: string): string | undefined {
    const around = this.#around(worker);
    return around && sessionTag(around.id);
  }

  /** Tells the hooks of the session around us who works in it, and on what. */
  async bind(worker: string, claimed: Claimed): Promise<string[]> {
    const around = this.#around(worker);
    return around ? bindClaim(around, this.store, worker, claimed) : [];
  }

  /** It is not woken for what it gives back. */
  letsLie(worker: string, taskId: string): void {
    const around = this.#around(worker);
    if (around) rememberGivenBack(around, worker, taskId);
  }

  /** Whoever adds to the board leads, in a session that is no worker's. */
  async leads(): Promise<void> {
    const { claudeSessionId: id, claudePid: pid, openOptions, env } = this.#options;
    if (!id || env['COORD_WORKER'] || env['COORD_ORCHESTRATED'] || this.#options.isBound) return;
    await bindLeader({ openOptions, id, pid }, this.store);
  }

  #listener(worker: string): Listener {
    const { claudeSessionId, openOptions } = this.#options;
    const sessions = openSessions(openOptions);
    const own = claudeSessionId === undefined ? undefined : (sessions.get(claudeSessionId)?.worker ?? this.worker);
    return { store: this.store, sessions, worker, id: listenerId(claudeSessionId, worker, own) };
  }

  /** What is new for a worker, to ride on the answer of whatever it has called. */
  async news(worker: string): Promise<Record<string, unknown>> {
    if (!this.#store) return {}; // no board, no messages
    try {
      const news = await takeNews(this.#listener(worker), 'command');
      return news ? newsView(news, await this.#store.now()) : {};
    } catch {
      return {}; // what was called says itself what is wrong
    }
  }

  hasNews(worker: string): Promise<boolean> {
    return hasNews(this.#listener(worker));
  }

  asks(worker: string, taskId: string, n: number): Promise<void> {
    return rememberAsking(this.#listener(worker), taskId, n);
  }

  hasAnswer(worker: string, taskId: string, n: number): Promise<void> {
    return forgetAsking(this.#listener(worker), taskId, n);
  }

  /** An error with the places that it names in words. */
  explain(error: unknown): unknown {
    return this.#store ? sayWhereKept(error, this.#store) : error;
  }

  drops(taskId: string): void {
    this.#leases.get(taskId)?.abort();
    this.#leases.delete(taskId);
  }

  /**
   * Any call of a worker is a sign of life. Where no process stays to renew its leases, the calls do, at most every third
   * of the lease, so that looking costs no write.
   */
  async showsLife(worker: string): Promise<void> {
    if (this.#options.renewsLeases || !this.#store) return;
    const { tasks } = await this.#store.read();
    const now = Date.parse(await this.#store.now());
    const isDue = tasks.some((task) => {
      if (task.status !== 'claimed' || task.claimed_by !== worker || task.lease_expires_at === null) return false;
      const lease = task.lease_seconds ?? DEFAULT_LEASE_SECONDS;
      return Date.parse(task.lease_expires_at) - now < (lease * 1000 * 2) / 3;
    });
    if (isDue) await this.#store.renew({ worker });
  }

  /** Over HTTP every request has a server of its own, and nobody to be told anything later. */
  attach(server: McpServer): void {
    if (!this.#options.renewsLeases) return;
    this.#servers.add(server);
  }

  /** Over HTTP nobody could be told of a change, so nothing is kept. */
  subscribe(uri: string): void {
    if (!this.#options.renewsLeases) return;
    if (this.#subscribed.size >= MOST_SUBSCRIBED || uri.length > LONGEST_URI)
      throw new CoordError('invalid-input', `At most ${MOST_SUBSCRIBED} subscriptions, of ${LONGEST_URI} characters.`);
    this.#subscribed.add(uri);
    this.watchResources();
  }

  unsubscribe(uri: string): void {
    this.#subscribed.delete(uri);
  }

  /** From the first client that asks for resources on, tells when their list changed. */
  watchResources(): void {
    if (this.#isWatching || !this.#store || !this.#options.renewsLeases) return;
    this.#isWatching = true;
    void this.#tellChanges(this.#store).catch(() => (this.#isWatching = false));
  }

  async #tellChanges(store: Store): Promise<void> {
    let told = await openTasks(store);
    let timer: NodeJS.Timeout | undefined;
    const tell = async (): Promise<void> => {
      timer = undefined;
      const now = await openTasks(store);
      for (const server of this.#servers) {
        if (!server.isConnected()) continue;
        if (now !== told) server.sendResourceListChanged();
        for (const uri of this.#subscribed) await server.server.sendResourceUpdated({ uri });
      }
      told = now;
    };
    try {
      for await (const _ of store.changes(this.signal))
        timer ??= setTimeout(() => void tell().catch(() => {}), QUIET_MS);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    this.#ending.abort();
    for (const taskId of this.#leases.keys()) this.drops(taskId);
    await this.#store?.close();
  }
}

/** What is handed in, while its checks run. */
interface Checking {
  end: Promise<CompleteAnswer & Moment>;
  /** Of whoever waits now. */
  onProgress: ((command: string, seconds: number) => void) | undefined;
}

/** What the list of resources is made of. */
async function openTasks(store: Store): Promise<string> {
  const { tasks } = await store.read();
  return tasks
    .filter((task) => !isSettled(task))
    .map((task) => task.id)
    .join();
}
