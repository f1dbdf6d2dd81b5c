/** `coord worker run`: a pool of one, whose agent is a command. */
import { CoordError } from '../../model/errors.ts';
import { Claim } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { clip, visible } from '../../model/text.ts';
import { waitingText } from '../../model/views/idle.ts';
import { Command } from '../../runner/agents/command.ts';
import { TAKEN_OVER } from '../../runner/attempt.ts';
import { Backoff } from '../../runner/backoff.ts';
import { Budget } from '../../runner/budget.ts';
import { Ending } from '../../runner/ending.ts';
import type { RunEvent } from '../../runner/events.ts';
import { Pool, type SlotEnd } from '../../runner/pool.ts';
import { Run } from '../../runner/run.ts';
import type { Store } from '../../store/store.ts';
import { Gate } from '../../work/gate.ts';
import { Lander, landingText } from '../../work/landing.ts';
import { LandingLoop } from '../../work/landing-loop.ts';
import { prepareClaim } from '../../work/worktrees.ts';
import { type Context, leaseSeconds, type Reply, withStore } from '../io.ts';
import { EXIT } from './output.ts';
import { surroundings } from './surroundings.ts';
import { idleText } from '../claim-text.ts';

/** Failures in a row after which the command itself is suspected, before it uses up the attempts of the whole board. */
const MOST_FAILURES = 5;

export async function run(
  context: Context,
  worker: string,
  command: string[],
  options: { timeout?: number; stay?: boolean; lease?: string; taskTimeout?: number },
): Promise<Reply> {
  const claim = parseInput(Claim, { worker, lease_seconds: leaseSeconds(context, options.lease) });
  context.io.heedHangup();
  return withStore(context, async (store) => {
    const agent = new Command({ command, env: context.io.env, boardDir: store.location });
    const words = new Words(context, worker);
    const ending = new Ending();
    const pool = new Pool(runOf(context, store, worker, { agent, ending, words, timeoutMs: options.taskTimeout }), {
      workers: [worker],
      leaseSeconds: claim.lease_seconds,
      stay: options.stay,
      timeoutMs: options.timeout,
      mostFailures: MOST_FAILURES,
      onIdle: (_, idle) => context.note(`${worker}: ${waitingText(idle)}`),
    });
    const interrupted = (): void => {
      words.stopping();
      ending.stop();
    };
    context.io.signal.addEventListener('abort', interrupted);
    if (context.io.signal.aborted) interrupted();
    const forgetKill = context.io.atSecondInterrupt(() => {
      words.killed();
      agent.killAll();
    });
    try {
      const [end] = await pool.work();
      return reply(worker, pool, end as SlotEnd); // one slot, one end
    } finally {
      context.io.signal.removeEventListener('abort', interrupted);
      forgetKill();
    }
  });
}

function runOf(
  context: Context,
  store: Store,
  worker: string,
  { agent, ending, words, timeoutMs }: { agent: Command; ending: Ending; words: Words; timeoutMs: number | undefined },
): Run {
  const around = { ...surroundings(context), store, signal: ending.stopping, onProgress: undefined };
  return new Run({
    store,
    gate: new Gate(around),
    prepare: (claimed) => prepareClaim(store, claimed, around),
    landing: new LandingLoop(new Lander({ ...around, by: worker }), (end) => context.note(landingText(end))),
    agent,
    budget: new Budget(undefined),
    backoff: new Backoff(0), // what fails is tried again at once, by whoever comes first
    ending,
    cwd: context.io.cwd,
    timeoutMs,
    prompt: (_, brief) => brief,
    onEvent: (event) => words.tell(event),
  });
}

function reply(worker: string, { counts }: Pool, end: SlotEnd): Reply {
  const sums = `${counts.done} done, ${counts.failed} failed`;
  switch (end.kind) {
    case 'stopped':
      if (end.at === 'task') throw new CoordError('interrupted', `Interrupted; ${end.task_id} is given back.`);
      if (end.at === 'between') throw new CoordError('interrupted', `${worker} stopped between two tasks.`);
      throw new CoordError('interrupted', 'Interrupted while waiting.');
    case 'failing':
      return {
        text: `${worker}: stopped after ${end.failures} failures in a row; ${sums}`,
        json: { worker, reason: 'failing', ...counts },
        notes: [`Is the command right? What it said: coord log --agent ${worker}`],
        exitCode: EXIT.error,
      };
    case 'idle': {
      const { reason } = end.idle;
      const isDrained = reason === 'drained';
      return {
        text: `${worker}: ${reason}; ${sums}`,
        json: { worker, reason, ...counts },
        notes: isDrained ? [] : [idleText(end.idle, worker)],
        exitCode: isDrained ? (counts.failed > 0 ? EXIT.error : EXIT.done) : EXIT.nothing,
      };
    }
  }
}

/** What happens, a line each on stderr. */
class Words {
  readonly #context: Context;
  readonly #worker: string;
  #task_id: string | undefined;

  constructor(context: Context, worker: string) {
    this.#context = context;
    this.#worker = worker;
  }

  tell(event: RunEvent): void {
    const line = this.#line(event);
    if (line !== undefined) this.#context.note(`${this.#worker}: ${line}`);
  }

  stopping(): void {
    if (this.#task_id !== undefined) this.#say(`stopping ${this.#task_id}; once more kills it`);
  }

  killed(): void {
    if (this.#task_id !== undefined) this.#say(`killed; giving ${this.#task_id} back`);
  }

  #say(line: string): void {
    this.#context.note(`${this.#worker}: ${line}`);
  }

  #line(event: RunEvent): string | undefined {
    switch (event.type) {
      case 'claim':
        this.#task_id = event.task_id;
        if (event.already === true)
          this.#say(`${event.task_id} was claimed under this name before; is it running in another terminal?`);
        return `${event.task_id} claimed: ${visible(clip(event.description))}`;
      case 'submit':
        this.#task_id = undefined;
        return `${event.task_id} handed in, for somebody else to look at`;
      case 'complete':
        this.#task_id = undefined;
        return `${event.task_id} done`;
      case 'fail':
        this.#task_id = undefined;
        return `${event.task_id} failed: ${visible(clip(event.reason, 200))}`;
      case 'release':
        this.#task_id = undefined;
        return event.reason === TAKEN_OVER
          ? `${event.task_id} was taken over by somebody else; its command was stopped`
          : undefined;
      case 'warning':
        this.#task_id = undefined; // refused: it is another's by now
        return visible(event.message.replace(`${this.#worker}, `, ''));
      default:
        return undefined; // only what more than one agent has to tell
    }
  }
}
