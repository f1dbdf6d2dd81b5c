/** The leader's verbs: what the page sends becomes the input of one store verb. */
import { LEADER } from '../../model/board.ts';
import { CoordError } from '../../model/errors.ts';
import { TaskIds } from '../../model/fields.ts';
import { AcceptResult, Answer, ApproveTask, CancelTasks, EditTask, NewTask, SendBackTask } from '../../model/inputs.ts';
import { Acknowledge, Tell } from '../../model/inputs.ts';
import { parseInput } from '../../model/parse-input.ts';
import { isRecord } from '../../model/values.ts';
import { RetryTasks } from '../../model/verbs/retry-tasks.ts';
import type { Store } from '../../store/store.ts';
import { Lander, landingText, type LanderOptions, withdrawing } from '../../work/landing.ts';
import { LandingLoop } from '../../work/landing-loop.ts';
import { type GateSurroundings, openGate } from '../hand-in.ts';
import type { VerbName } from './api.ts';

export class Verbs {
  readonly #store: Store;
  readonly #surroundings: GateSurroundings;
  readonly #landing: LandingLoop;
  readonly #onError: (error: Error) => void;

  /** @param onLanded  told in words what came of each landing */
  constructor(
    store: Store,
    surroundings: GateSurroundings,
    onLanded: (text: string) => void,
    onError: (error: Error) => void,
  ) {
    this.#store = store;
    this.#surroundings = surroundings;
    this.#onError = onError;
    this.#landing = new LandingLoop(new Lander(this.#lander), (end) => onLanded(landingText(end)));
  }

  /** @throws CoordError as the store's verb */
  run(name: VerbName, given: unknown): Promise<object> {
    if (!isRecord(given)) throw new CoordError('invalid-input', 'input: expected an object');
    return this.#verbs[name](given);
  }

  /** Waits for a landing that is under way. */
  close(): Promise<void> {
    return this.#landing.settled();
  }

  get #lander(): LanderOptions {
    return { ...this.#surroundings, store: this.#store, by: LEADER };
  }

  readonly #verbs: Readonly<Record<VerbName, (given: Record<string, unknown>) => Promise<object>>> = {
    'add-task': (given) => this.#store.addTasks({ tasks: [parseInput(NewTask, given)] }),
    edit: (given) => this.#store.editTask(parseInput(EditTask, given)),
    retry: (given) => this.#store.retryTasks(parseInput(RetryTasks, given)),
    reopen: (given) => this.#store.reopenTasks(parseInput(TaskIds, given)),
    cancel: (given) => {
      const input = parseInput(CancelTasks, given);
      // Where somebody has begun to land one of them, that is made void first.
      return withdrawing(this.#lander, (withdrawn) => this.#store.cancelTasks({ ...input, withdrawn: [...withdrawn] }));
    },
    release: (given) => this.#store.takeBackTasks(parseInput(TaskIds, given)),
    approve: async (given) => {
      const { head, ...input } = parseInput(ApproveTask, { ...given, by: LEADER });
      const answer = await (await openGate(this.#store, this.#surroundings)).approve({ ...input, seen: head });
      if (answer.task.status === 'submitted') this.#land();
      return answer;
    },
    'send-back': (given) => {
      const input = parseInput(SendBackTask, { ...given, by: LEADER });
      return withdrawing(this.#lander, (tokens) => {
        const withdrawn = tokens.at(-1);
        return this.#store.sendBack({ ...input, ...(withdrawn === undefined ? {} : { withdrawn }) });
      });
    },
    accept: async (given) => {
      const { task_id, kept } = parseInput(AcceptResult, given);
      const answer = await (await openGate(this.#store, this.#surroundings)).accept(task_id, kept);
      if (answer.task.status === 'submitted') this.#land();
      return answer;
    },
    answer: (given) => this.#store.answer(parseInput(Answer, { ...given, by: LEADER })),
    tell: (given) => this.#store.tell(parseInput(Tell, { ...given, from: LEADER })),
    undo: () => this.#store.undo(),
    seen: async (given) => {
      await this.#store.acknowledge(parseInput(Acknowledge, { ...given, reader: LEADER }));
      return {};
    },
  };

  /** What is approved lands meanwhile, where nobody else lands: the board tells what comes of it. */
  #land(): void {
    this.#landing.run().catch(this.#onError);
  }
}
