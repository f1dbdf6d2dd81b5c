/** The leader's verbs: what the page sends becomes the input of one store verb. */
import { LEADER } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { TaskIds } from '../../model/fields.ts';
import {
  AcceptResult,
  Acknowledge,
  Answer,
  ApproveTask,
  CancelTasks,
  EditTask,
  NewTask,
  SendBackTask,
  Tell,
} from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { visible } from '../../model/text.ts';
import { lastChangeOf } from '../../model/undo.ts';
import { isRecord } from '../../model/values.ts';
import { RetryTasks } from '../../model/verbs/retry-tasks.ts';
import type { Store } from '../../store/store.ts';
import {
  cancelWithdrawing,
  type Landed,
  Lander,
  landingText,
  type LanderOptions,
  sendBackWithdrawing,
} from '../../work/landing.ts';
import { LandingLoop } from '../../work/landing-loop.ts';
import { type GateSurroundings, openGate } from '../hand-in.ts';
import type { VerbName } from './api.ts';
import { refusalOf } from './errors.ts';

export class Verbs {
  readonly #store: Store;
  readonly #surroundings: GateSurroundings;
  readonly #landing: LandingLoop;
  readonly #onLanded: (text: string) => void;
  readonly #onSeen: () => void;
  /** By the id of a task that has not landed: why. */
  readonly #held = new Map<string, string>();

  /**
   * @param onLanded  told in words what came of each landing
   * @param onSeen  told that the leader has seen messages, which changes no board
   */
  constructor(store: Store, surroundings: GateSurroundings, onLanded: (text: string) => void, onSeen: () => void) {
    this.#onSeen = onSeen;
    this.#store = store;
    this.#surroundings = surroundings;
    this.#onLanded = onLanded;
    this.#landing = new LandingLoop(new Lander(this.#landerOptions), (end) => this.#landed(end));
  }

  /** @throws CoordError as the store's verb */
  run(name: VerbName, given: unknown): Promise<object> {
    if (!isRecord(given)) throw new CoordError('invalid-input', 'input: expected an object');
    return this.#verbs[name](given);
  }

  /** What came of landing this task, where it is still to land. */
  landingOf(id: string): string | undefined {
    return this.#held.get(id);
  }

  /** Waits for a landing that is under way. */
  close(): Promise<void> {
    return this.#landing.settled();
  }

  get #landerOptions(): LanderOptions {
    return { ...this.#surroundings, store: this.#store, by: LEADER };
  }

  readonly #verbs: Readonly<Record<VerbName, (given: Record<string, unknown>) => Promise<object>>> = {
    'add-task': (given) => this.#store.addTasks({ tasks: [parseInput(NewTask, given)] }),
    edit: (given) => this.#store.editTask(parseInput(EditTask, given)),
    retry: (given) => this.#store.retryTasks(parseInput(RetryTasks, given)),
    reopen: (given) => this.#store.reopenTasks(parseInput(TaskIds, given)),
    cancel: (given) => cancelWithdrawing(this.#landerOptions, parseInput(CancelTasks, given)),
    release: (given) => this.#store.takeBackTasks(parseInput(TaskIds, given)),
    approve: async (given) => {
      const { head, ...input } = parseInput(ApproveTask, { ...given, by: LEADER });
      const answer = await (await openGate(this.#store, this.#surroundings)).approve({ ...input, seen: head });
      if (answer.task.status === 'submitted') this.#land(answer.task.id);
      return answer;
    },
    'send-back': (given) =>
      sendBackWithdrawing(this.#landerOptions, parseInput(SendBackTask, { ...given, by: LEADER })),
    accept: async (given) => {
      const { task_id, kept } = parseInput(AcceptResult, given);
      const answer = await (await openGate(this.#store, this.#surroundings)).accept(task_id, kept);
      if (answer.task.status === 'submitted') this.#land(answer.task.id);
      return answer;
    },
    answer: (given) => this.#store.answer(parseInput(Answer, { ...given, by: LEADER })),
    tell: (given) => this.#store.tell(parseInput(Tell, { ...given, from: LEADER })),
    undo: async ({ what }) => {
      // Others lead as well: what is taken back is what was shown.
      const last = lastChangeOf(await this.#store.read());
      if (what !== undefined && visible(last?.what ?? '') !== what)
        throw new CoordError('task-state', `Something else was done meanwhile: ${last?.what ?? 'it was taken back'}.`);
      return this.#store.undo();
    },
    seen: async (given) => {
      await this.#store.acknowledge(parseInput(Acknowledge, { ...given, reader: LEADER }));
      this.#onSeen();
      return {};
    },
  };

  /** What is approved lands meanwhile, where nobody else lands: the board tells what comes of it. */
  #land(id: string): void {
    this.#held.delete(id);
    this.#landing.run().catch((error: unknown) => {
      const { message } = refusalOf(error).refusal.error;
      this.#held.set(id, message);
      this.#onLanded(`${id} is approved, and not landed: ${message}`);
    });
  }

  #landed(end: Landed): void {
    const text = landingText(end);
    if (end.end === 'held') this.#held.set(end.task.id, text);
    else this.#held.delete(end.task.id);
    this.#onLanded(text);
  }
}
