/** A whole board into a folder, and out of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../../model/values.ts';
import { type BoardContent, type CheckRecord, mailOf, resultsOf } from '../content.ts';
import type { Registry } from '../registry.ts';
import { append, namesIn, replaceFile } from './atomic.ts';
import type { FileBackend } from './backend.ts';
import { discoveryText } from './discovery-text.ts';
import { logLine } from './documents.ts';
import { readIfThere } from './open-file.ts';
import { REFUSED } from './result-files.ts';
import { resultText } from './result-text.ts';
import { scratchName } from './scratch.ts';
import type { Tree } from './tree.ts';

const CHECKS = '.checks.jsonl';

/** @throws CoordError `tasks-malformed`, `store-unavailable` */
export async function readContent(tree: Tree, backend: FileBackend, registry: Registry): Promise<BoardContent> {
  const { documents } = backend;
  const board = await backend.read();
  const archived = await documents.archived();
  const handedIn = [...archived, ...board.tasks].filter(({ status }) => status === 'done' || status === 'submitted');
  const names = namesIn(tree.results);
  return {
    board,
    plan: await documents.readPlan(),
    summary: readIfThere(tree.summary)?.toString() ?? '',
    discoveries: (await documents.discoveries()).map(({ worker, created_at, content, tags, task_id }) => ({
      worker,
      created_at,
      content,
      tags,
      task_id,
    })),
    results: (await documents.results(handedIn)).map(({ task_id, output, files_modified, files_created }) => ({
      task_id,
      output,
      files_modified,
      files_created,
    })),
    checks: names.filter((name) => name.endsWith(CHECKS)).flatMap((name) => checksIn(join(tree.results, name))),
    late: names
      .filter((name) => name.endsWith(REFUSED))
      .map((name) => ({
        name: name.slice(0, -REFUSED.length),
        output: (readIfThere(join(tree.results, name))?.toString() ?? '').replace(/\n$/, ''),
      })),
    archived,
    log: await documents.log(),
    tokens: await registry.tokens(),
    ...mailOf(await backend.mailbox.read()),
  };
}

function checksIn(path: string): CheckRecord[] {
  const lines = readIfThere(path)?.toString().split('\n') ?? [];
  return lines.flatMap((line) => {
    try {
      const record: unknown = JSON.parse(line);
      return isRecord(record) ? [record as unknown as CheckRecord] : [];
    } catch {
      return []; // the end of one that a crash cut short
    }
  });
}

/**
 * Writes it into the folder of a new board: the board itself last, so that one that was left half-way is none.
 *
 * @throws CoordError `already-initialised`, `store-unavailable`
 */
export async function writeContent(
  tree: Tree,
  content: BoardContent,
  backend: FileBackend,
  registry: Registry,
): Promise<void> {
  const write = (path: string, text: string): void =>
    replaceFile(path, text, { scratch: scratchName(tree.tmp), durable: true });
  mkdirSync(tree.results, { recursive: true });
  write(tree.plan, content.plan);
  if (content.summary !== '') write(tree.summary, content.summary);
  write(tree.discoveries, `# Discoveries\n${content.discoveries.map(discoveryText).join('')}`);
  for (const result of resultsOf(content)) write(tree.result(result.task.id), resultText(result));
  for (const run of content.checks) append(tree.checksOf(run.task_id), `${JSON.stringify(run)}\n`, { durable: false });
  for (const { name, output } of content.late) write(join(tree.results, `${name}${REFUSED}`), `${output}\n`);
  if (content.archived.length > 0)
    write(tree.archive, content.archived.map((task) => `${JSON.stringify(task)}\n`).join(''));
  for (const entry of content.log) append(tree.log(entry.agent), logLine(entry), { durable: false });
  if (content.tokens.length > 0) await registry.change(() => ({ tokens: content.tokens }));
  backend.mailbox.restore({ messages: content.messages, seen: new Map(content.seen) });
  await backend.create(content.board);
}
