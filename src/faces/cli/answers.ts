/** Lets whoever sits at the terminal of a run answer what its agents ask. Another terminal may be faster: then it is answered there. */
import { createInterface, type Interface } from 'node:readline';
import { quoted, visible } from '../../model/text.ts';
import type { RunEvent } from '../../runner/events.ts';
import type { Context } from '../io.ts';
import type { Progress } from './progress.ts';

type Asked = Extract<RunEvent, { type: 'question' }>;

export class Answers {
  readonly #context: Context;
  readonly #progress: Progress;
  readonly #answer: (asked: Asked, text: string) => Promise<void>;
  readonly #open: Asked[] = [];
  #typing: Interface | undefined;
  #isAnswering = false;

  /** @param answer  may throw: then it is said, and asked again */
  constructor(context: Context, progress: Progress, answer: (asked: Asked, text: string) => Promise<void>) {
    this.#context = context;
    this.#progress = progress;
    this.#answer = answer;
  }

  tell(event: RunEvent): void {
    if (event.type === 'question') {
      this.#open.push(event);
      if (this.#open.length === 1) this.#ask();
    }
    if (event.type !== 'answer') return;
    const i = this.#open.findIndex(({ task_id, n }) => task_id === event.task_id && n === event.n);
    if (i === -1) return;
    this.#open.splice(i, 1);
    if (i === 0) this.#ask();
  }

  end(): void {
    this.#open.length = 0;
    this.#rest();
  }

  /** The first that is open; where none is, the run is shown again. */
  #ask(): void {
    const [asked] = this.#open;
    if (!asked) return this.#rest();
    this.#progress.pause();
    const { stderr } = this.#context.io;
    const fallback = asked.default === null ? [] : [`From ${asked.due} on this holds: ${visible(asked.default)}`];
    stderr.write(
      `\n${[`${asked.worker} asks about ${asked.task_id}:`, ...quoted(asked.question), ...fallback].join('\n')}\nYour answer, and Enter: `,
    );
    if (this.#typing) return;
    this.#typing = createInterface({ input: this.#context.io.openStreams().input, terminal: false });
    this.#typing.on('line', (line) => void this.#typed(line.trim()));
  }

  async #typed(text: string): Promise<void> {
    const [asked] = this.#open;
    if (!asked || this.#isAnswering) return;
    if (text === '') return this.#ask();
    this.#isAnswering = true;
    try {
      await this.#answer(asked, text); // the run tells that it is answered
    } catch (error) {
      this.#context.note(error instanceof Error ? error.message : String(error));
      this.#ask();
    } finally {
      this.#isAnswering = false;
    }
  }

  #rest(): void {
    if (this.#typing) {
      this.#typing.close();
      this.#typing = undefined;
      this.#context.io.openStreams().input.pause(); // an open terminal would keep the process
    }
    this.#progress.resume();
  }
}
