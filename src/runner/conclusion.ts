/** What came of a run: the report, what it cost, and on request a summary in words. */
import type { Board } from '../model/board.ts';
import { type Discovery, fenced, writeReport } from '../model/views/report.ts';
import { type Counts, summarise } from '../model/views/summary.ts';
import type { RunOutcome } from './events.ts';
import type { Run } from './run.ts';

export interface RunResult {
  outcome: RunOutcome;
  tasksCompleted: number;
  tasksFailed: number;
  /** Tasks that were handed in, and wait for somebody's look. */
  tasksSubmitted: number;
  /** Tasks that wait for an answer, in nobody's hands. */
  tasksAsking: number;
  /** Tasks behind failed ones, which will not run unless somebody acts. */
  tasksStuck: number;
  discoveries: Discovery[];
  /** The report, Markdown; also in summary.md. */
  summary: string;
  /** Empty where the board is kept in no files. */
  summaryPath: string;
  /** Of this run, in US dollars, as the agents estimate it. */
  costUsd: number;
  durationMs: number;
}

/**
 * Writes the summary and tells what came of the run.
 *
 * @param options.start  when it began, milliseconds since 1970
 * @param options.summarize  one more agent writes the summary's prose
 */
export async function conclude(run: Run, options: { start: number; summarize: boolean }): Promise<RunResult> {
  const { store } = run;
  const board = await store.read();
  const now = await store.now();
  const { counts } = summarise(board, now);
  const [results, discoveries] = [await store.results(), await store.discoveries()];
  const outcome = outcomeOf(run, counts);
  const report = writeReport(board, results, discoveries, now);
  const wantsProse = options.summarize && outcome !== 'interrupted';
  const prose = wantsProse ? await proseOf(run, report) : '';
  const afterProse = wantsProse ? await store.read() : board; // it has cost something
  const summary = `${prose}${report}\n${costTable(afterProse, run.budget.spentUsd)}`;
  const summaryPath = store.where(await store.writeSummary(summary)) ?? '';
  const durationMs = Date.now() - options.start;
  const costUsd = run.budget.spentUsd;
  run.tell({ type: 'settled', outcome, counts, cost_usd: costUsd, duration_ms: durationMs });
  return {
    outcome,
    tasksCompleted: counts.done,
    tasksFailed: counts.failed,
    tasksSubmitted: counts.submitted,
    tasksAsking: counts.asking,
    tasksStuck: counts.stuck,
    discoveries,
    summary,
    summaryPath,
    costUsd,
    durationMs,
  };
}

function outcomeOf({ ending, budget }: Run, counts: Counts): RunOutcome {
  if (ending.stopping.aborted) return 'interrupted';
  if (counts.available + counts.claimed + counts.submitted === 0 && counts.failed === 0) return 'done';
  if (budget.isSpent) return 'budget';
  if (counts.failed > 0 || counts.claimed > 0) return 'failed';
  if (counts.asking > 0) return 'question';
  return counts.submitted > 0 ? 'review' : 'failed';
}

/** The summary in words, by one more agent; without it where that fails. */
async function proseOf(run: Run, report: string): Promise<string> {
  const prompt = `Several agents have worked on this project. Below is the record of their work. Write for the person who asked
for it, in at most 300 words of Markdown without headings: what was reached, what was not and why, what remains to be done or checked.
Look at the files where the record is not enough. Answer with that text alone.

${report}`;
  const outcome = await run.agent.run({ ...run.job('summarizer', null), prompt, isReadOnly: true });
  await run.records?.forget('summarizer');
  await run.spendApart(outcome.costUsd ?? 0);
  if (outcome.ok) return `${fenced(outcome.text).join('\n')}\n\n`;
  run.tell({ type: 'warning', message: `No prose for the summary: ${outcome.reason}.` });
  return '';
}

function costTable({ tasks, cost_usd: apart = 0 }: Board, thisRun: number): string {
  const rows = tasks
    .filter((task) => task.attempt > 0)
    .map((task) => {
      const seconds =
        task.claimed_at === null || task.completed_at === null
          ? ''
          : `${Math.round((Date.parse(task.completed_at) - Date.parse(task.claimed_at)) / 1000)} s`;
      const cost = task.cost_usd === undefined ? '' : `$${task.cost_usd.toFixed(2)}`;
      return `| ${task.id} | ${task.status} | ${task.attempt} | ${seconds} | ${cost} |`;
    });
  if (apart > 0) rows.push(`| planning and summaries | | | | $${apart.toFixed(2)} |`);
  const all = tasks.reduce((sum, task) => sum + (task.cost_usd ?? 0), apart);
  return `## Time and cost\n\n| task | status | attempts | last attempt | cost |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n\nAll runs together cost $${all.toFixed(2)}, this one $${thisRun.toFixed(2)}, as the agents estimate it.\n`;
}
