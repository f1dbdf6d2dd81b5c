/** What a worker reads: its claim, or why there is none. Loaded by every claim, so it needs little. */
import { labelled, clip, plural, quoted, visible } from '../model/text.ts';
import { formatTime } from './durations.ts';
import { waitingText, type NotClaimed } from '../model/views/idle.ts';
import { questionText } from '../model/views/questions.ts';
import type { Task } from '../model/task.ts';
import type { Claimed } from '../model/verbs/claim.ts';

/** Bytes of what a claim shows of each text, from the 4 kB that it may have in all. */
const IN_CLAIM = { description: 1500, files: 500, hints: 700, last: 300, checks: 300 };

/** The claim as an agent reads it: the task, and the two commands that end it. What others wrote is fenced, and cut. */
export function claimText(
  answer: Claimed,
  worker: string,
  resultPath: (id: string) => string,
  now: string,
  worktree?: { path: string; branch: string },
): string {
  const { task, already, taken_over_from, overlaps, checks = [] } = answer;
  const until = formatTime(task.lease_expires_at ?? '');
  const rest = `coord worker context ${worker}`;
  const lines = [
    `${task.id} ${already ? 'already ' : ''}claimed by ${worker} until ${until} (priority ${task.priority}, attempt ${task.attempt})`,
  ];
  if (worktree)
    lines.push(
      `Work in ${visible(worktree.path)} (branch ${worktree.branch}), and commit there: what is committed is what you hand in.`,
    );
  if (taken_over_from !== undefined) lines.push(`Taken over from ${taken_over_from}: it may have left work half done.`);
  else if (task.last_error !== null) lines.push(...labelled('Last attempt', task.last_error, IN_CLAIM.last, rest));
  if (task.note !== undefined) lines.push(...labelled('Note', task.note, IN_CLAIM.last, rest));
  lines.push(...lastAnswer(task, now, rest));
  for (const overlap of overlaps.slice(0, 3)) {
    const files = clip(overlap.files.slice(0, 3).join(', '), 150);
    lines.push(`Warning: ${overlap.worker} works on ${files} too (${overlap.task_id}); keep the change small.`);
  }
  lines.push('', ...quoted(task.description, IN_CLAIM.description, rest), '');
  if (task.context.files.length > 0)
    lines.push(...labelled('Files', task.context.files.join(', '), IN_CLAIM.files, rest));
  if (task.context.hints !== '') lines.push(...labelled('Hints', task.context.hints, IN_CLAIM.hints, rest));
  if (checks.length > 0) lines.push(...labelled('Checks', checks.join('; '), IN_CLAIM.checks, rest));
  if (task.bounces !== undefined || task.evidence?.verdict === 'red')
    lines.push(`It was red or sent back before: ${rest}`);
  if (task.dependencies.length > 0) {
    const shown = task.dependencies.slice(0, 3);
    const more =
      task.dependencies.length > shown.length ? `, and ${task.dependencies.length - shown.length} more there` : '';
    lines.push(`Needs: ${shown.join(', ')} done, see ${shown.map(resultPath).join(', ')}${more}`);
  }
  if (lines.at(-1) !== '') lines.push('');
  lines.push(
    `Done:  ${worktree ? 'git commit, then ' : ''}coord worker done ${worker} ${task.id} "what you did"`,
    `Stuck: coord worker fail ${worker} ${task.id} "why"`,
  );
  return lines.join('\n');
}

/** What was asked about the task last, and what came of it; the brief has all of it. */
function lastAnswer({ questions = [] }: Task, now: string, rest: string): string[] {
  const last = questions.at(-1);
  if (!last) return [];
  const before = questions.length > 1 ? [`${plural(questions.length - 1, 'earlier question')}: ${rest}`] : [];
  return [...questionText(last, now, IN_CLAIM.last, rest), ...before];
}

/** Why there is nothing to claim, and what to do about it. */
export function idleText(idle: NotClaimed, worker: string): string {
  const what = waitingText(idle);
  switch (idle.reason) {
    case 'drained':
      return `${what}, stop working.`;
    case 'empty':
      return `${what}. Wait for the leader with: coord worker claim ${worker} --wait`;
    case 'blocked':
      return `${what}. Sleep until one is free with: coord worker claim ${worker} --wait`;
    case 'review':
      return `${what}. Look at it with: coord worker review ${worker}; or sleep until one is free: coord worker claim ${worker} --wait`;
    case 'landing':
      return `${what}. Land it with: coord land; or sleep until one is free: coord worker claim ${worker} --wait`;
    case 'question':
      return `${what}. The leader answers with: coord leader answer ${idle.waiting_for[0]?.task_id ?? '<task>'} "<answer>"; or sleep until one is free: coord worker claim ${worker} --wait`;
    case 'stuck':
      return `${what}. The leader must act: coord leader retry ${idle.waiting_for[0]?.task_id ?? '<task>'}, or cancel --cascade`;
  }
}
