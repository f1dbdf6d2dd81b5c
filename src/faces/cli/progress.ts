/**
 * What a person sees of a run. On a terminal: what happened scrolls by above a block that is drawn again and again, a line for
 * each worker and a bar for the board. Elsewhere one line an event; with `--json` the events themselves, on stdout.
 */
import { createLogUpdate } from 'log-update';
import type { Counts } from '../../model/views/summary.ts';
import { clip, visible } from '../../model/text.ts';
import type { RunEvent } from '../../runner/events.ts';
import type { Context } from '../io.ts';
import { bar, countsText } from './tables.ts';
import { fitLine } from './width.ts';

/** How often the elapsed times move. */
const TICK_MS = 1000;
const BAR_COLUMNS = 24;
/** Before the first count. */
const NOTHING = { total: 0, done: 0, failed: 0, cancelled: 0, claimed: 0 };

interface Slot {
  task_id: string;
  start: number;
  action: string;
}

export class Progress {
  readonly #context: Context;
  readonly #isLive: boolean;
  readonly #slots = new Map<string, Slot>();
  readonly #start = Date.now();
  #counts: Counts | undefined;
  #costUsd = 0;
  readonly #screen: ReturnType<typeof createLogUpdate>;
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;
  #forget: () => void = () => {};

  constructor(context: Context) {
    this.#context = context;
    this.#isLive = !context.json && context.io.stderr.isTTY;
    // It asks only for what this stream has. The cursor stays: hiding it would need handlers of signals to show it again.
    this.#screen = createLogUpdate(context.io.stderr as unknown as NodeJS.WriteStream, { showCursor: true });
    if (!this.#isLive) return;
    this.#timer = setInterval(() => this.#draw(), TICK_MS);
    this.#forget = context.io.stderr.onResize(() => this.#draw());
  }

  tell(event: RunEvent): void {
    if (this.#context.json) {
      this.#context.print({ text: '', json: event });
      return;
    }
    this.#remember(event);
    const line = eventText(event);
    if (!this.#isLive) {
      if (line !== undefined) this.#context.note(visible(line));
      return;
    }
    if (line !== undefined && this.#isPaused) this.#context.note(visible(line));
    else if (line !== undefined) this.#screen.persist(this.#fit(visible(line)));
    this.#draw();
  }

  /** Draws nothing while somebody types below. */
  pause(): void {
    if (this.#isLive && !this.#isPaused) this.#screen.clear();
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isLive && this.#timer) this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#forget();
    if (this.#isLive) this.#screen.clear();
  }

  #remember(event: RunEvent): void {
    switch (event.type) {
      case 'claim':
        this.#slots.set(event.worker, { task_id: event.task_id, start: Date.now(), action: event.description });
        break;
      case 'progress': {
        const slot = this.#slots.get(event.worker) ?? { task_id: event.task_id ?? '', start: Date.now(), action: '' };
        this.#slots.set(event.worker, { ...slot, action: event.action });
        break;
      }
      case 'complete':
      case 'submit':
      case 'release':
      case 'review':
        this.#slots.delete(event.worker);
        break;
      case 'fail':
        if (event.final) this.#slots.delete(event.worker);
        break;
      case 'retry': {
        const slot = this.#slots.get(event.worker);
        if (slot) slot.action = `pauses before attempt ${event.attempt}`;
        break;
      }
      case 'status':
      case 'settled':
        this.#counts = event.counts;
        break;
      case 'cost':
        this.#costUsd = event.total_usd;
        break;
      case 'plan':
        this.#slots.clear();
        break;
      case 'question':
      case 'answer':
      case 'check':
      case 'land':
      case 'bounce':
      case 'discovery':
      case 'warning':
        break;
    }
  }

  #draw(): void {
    if (this.#isPaused) return;
    const { paint } = this.#context;
    const lines = [...this.#slots]
      .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([worker, { task_id, start, action }]) =>
        this.#fit(`  ${worker.padEnd(10)} ${task_id.padEnd(9)} ${elapsed(start)}  ${visible(clip(action, 500))}`),
      );
    // The block must fit the screen: what scrolls out of it is never erased.
    const room = Math.max(1, this.#context.io.stderr.rows - 3);
    if (lines.length > room) lines.splice(room - 1, lines.length, paint.dim(`  and ${lines.length - room + 1} more`));
    const cost = this.#costUsd > 0 ? `  $${this.#costUsd.toFixed(2)}` : '';
    const counts = this.#counts ? countsText(this.#counts) : 'planning';
    lines.push(
      this.#fit(`  ${bar(this.#counts ?? NOTHING, paint, BAR_COLUMNS)} ${elapsed(this.#start)}${cost}  ${counts}`),
    );
    this.#screen(lines.join('\n'));
  }

  /** One line of the screen: a longer one would wrap, and the next drawing would not erase it. */
  #fit(line: string): string {
    const width = Math.max(this.#context.io.stderr.columns - 1, 20);
    return fitLine(line, width);
  }
}

/** `1:05`, or `1:02:05`. */
function elapsed(start: number): string {
  const seconds = Math.floor((Date.now() - start) / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** What scrolls by; undefined for what only moves the block. */
function eventText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'plan':
      return `planned ${event.tasks} tasks${money(event.cost_usd)}`;
    case 'claim':
      return `${event.worker} began ${event.task_id}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}: ${clip(event.description, 100)}`;
    case 'submit':
    case 'complete': {
      const denied = event.denied.length > 0 ? `; not allowed: ${event.denied.slice(0, 3).join(', ')}` : '';
      return `${event.worker} ${event.type === 'submit' ? 'handed in' : 'completed'} ${event.task_id} in ${Math.round(event.duration_ms / 1000)} s${money(event.cost_usd)}${denied}`;
    }
    case 'fail':
      return `${event.worker} failed ${event.task_id}${event.final ? ' for good' : ''}: ${clip(event.reason, 200)}${money(event.cost_usd)}`;
    case 'review':
      return `${event.worker} ${event.approved ? 'approved' : 'sent back'} ${event.task_id}: ${clip(event.reasons, 200)}`;
    case 'check':
      return `${event.worker} is told that a check of ${event.task_id} has not ended well: ${clip(event.message, 200)}`;
    case 'land':
      return `${event.task_id} landed on ${event.branch} as ${event.commit.slice(0, 12)}`;
    case 'bounce':
      return `${event.task_id} ${event.held ? 'cannot land' : 'was sent back'}: ${clip(event.reason, 200)}`;
    case 'retry':
      return `${event.task_id} is tried again in ${Math.max(1, Math.round(event.pause_ms / 1000))} s`;
    case 'release':
      return `${event.task_id} given back: ${clip(event.reason, 200)}`;
    case 'question':
      return `${event.worker} asks about ${event.task_id}: ${clip(event.question, 200)} (coord leader answer ${event.task_id} "<answer>")`;
    case 'answer':
      return event.answer === null
        ? `${event.task_id} waits for no answer any more`
        : `${event.by ?? 'the default'} answers ${event.task_id}: ${clip(event.answer, 200)}`;
    case 'discovery':
      return `${event.worker} found: ${clip(event.content, 200)}`;
    case 'warning':
      return event.message;
    case 'settled':
      return `${event.outcome}: ${countsText(event.counts)}${money(event.cost_usd)}`;
    case 'progress':
    case 'status':
    case 'cost':
      return undefined;
  }
}

function money(usd: number): string {
  return usd > 0 ? `, $${usd.toFixed(2)}` : '';
}
