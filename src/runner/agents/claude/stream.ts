/** What `claude -p --output-format stream-json` says, and what it means. Pure: lines in, conclusions out. */
import { relative } from 'node:path';
import type { FailureKind, Report } from '../../agent.ts';
import { isRecord } from '../../../model/values.ts';

type Fields = Record<string, unknown>;

/** The last word of a run: its `result` event. */
interface Result {
  subtype: string;
  isError: boolean;
  terminalReason: string;
  status: number | undefined;
  text: string;
  structured: unknown;
  costUsd: number;
  denied: string[];
}

export class ClaudeStream {
  readonly #cwd: string;
  /** Paths of writes that have not answered yet, by the id of the call. */
  readonly #writes = new Map<string, string>();
  readonly #created = new Set<string>();
  readonly #modified = new Set<string>();
  #result: Result | undefined;
  #lastText = '';
  /** A login that does not hold: no use in waiting for three minutes of retries. */
  isUnauthenticated = false;
  #isLimited = false;
  /** MCP servers that could not be reached: Claude Code goes on without them, and so without a word. */
  readonly brokenServers: string[] = [];

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  get hasResult(): boolean {
    return this.#result !== undefined;
  }

  /** Takes one line. @returns what the agent just began to do, where that is worth telling */
  take(line: string): string | undefined {
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch {
      return undefined; // a hook or a tool that prints: kept in the log, of no meaning here
    }
    if (!isRecord(event)) return undefined;
    switch (event['type']) {
      case 'system':
        return this.#takeSystem(event);
      case 'assistant':
        return this.#takeAssistant(event);
      case 'user':
        this.#takeToolResults(event);
        return undefined;
      case 'result':
        this.#takeResult(resultOf(event));
        return undefined;
      default:
        return undefined;
    }
  }

  /**
   * The last one counts, as every turn that a background task causes ends with one. But work that was finished stays so: an
   * error after a success says that a turn nobody asked for has failed.
   */
  #takeResult(result: Result): void {
    const costUsd = Math.max(result.costUsd, this.#result?.costUsd ?? 0);
    const isSpurious = this.#result !== undefined && !this.#result.isError && result.isError;
    this.#result = { ...(isSpurious && this.#result ? this.#result : result), costUsd };
  }

  #takeSystem(event: Fields): string | undefined {
    if (event['subtype'] === 'init') this.#takeServers(event['mcp_servers']);
    if (event['subtype'] !== 'api_retry') return undefined;
    const error = textOf(event['error']);
    if (error === 'authentication_failed') this.isUnauthenticated = true;
    this.#isLimited = error === 'rate_limit' || error === 'overloaded';
    return `waits for the API (${error}, retry ${textOf(event['attempt'])})`;
  }

  #takeServers(servers: unknown): void {
    for (const server of Array.isArray(servers) ? servers.filter(isRecord) : [])
      if (server['status'] === 'failed') this.brokenServers.push(textOf(server['name']));
  }

  #takeAssistant(event: Fields): string | undefined {
    let action: string | undefined;
    for (const part of partsOf(event)) {
      if (part['type'] === 'text') this.#lastText = textOf(part['text']);
      if (part['type'] !== 'tool_use') continue;
      const input = isRecord(part['input']) ? part['input'] : {};
      const path = input['file_path'] ?? input['notebook_path'];
      const name = textOf(part['name']);
      if (typeof path === 'string' && /^(Write|Edit|MultiEdit|NotebookEdit)$/.test(name))
        this.#writes.set(textOf(part['id']), path);
      const what = path ?? input['command'] ?? input['pattern'] ?? input['description'] ?? '';
      action = `${name} ${typeof path === 'string' ? this.#short(path) : textOf(what)}`.trim();
    }
    return action;
  }

  /** A file counts as changed when the tool has answered, and not with an error. */
  #takeToolResults(event: Fields): void {
    for (const part of partsOf(event)) {
      const id = textOf(part['tool_use_id']);
      const path = this.#writes.get(id);
      if (part['type'] !== 'tool_result' || path === undefined) continue;
      this.#writes.delete(id);
      if (part['is_error'] === true) continue;
      const isNew = /created/i.test(JSON.stringify(part['content'] ?? ''));
      if (isNew) this.#created.add(this.#short(path));
      else if (!this.#created.has(this.#short(path))) this.#modified.add(this.#short(path));
    }
  }

  #short(path: string): string {
    const short = relative(this.#cwd, path);
    return short.startsWith('..') ? path : short;
  }

  report(): Report {
    return {
      costUsd: this.#result?.costUsd ?? 0,
      // What it said last where the result is empty, as after a hook that stopped it.
      text: this.#result?.text || this.#lastText,
      filesCreated: [...this.#created],
      filesModified: [...this.#modified],
      denied: this.#result?.denied ?? [],
    };
  }

  get structured(): unknown {
    return this.#result?.structured;
  }

  /**
   * Why this was no success; undefined when it was. By the result, never by the exit code alone: an interrupt ends with 0, and
   * an API error calls itself `success`.
   *
   * @param ending  how the process ended, for the case that it said nothing
   */
  failure(wantsStructure: boolean, ending: string): { kind: FailureKind; reason: string } | undefined {
    const result = this.#result;
    if (!result) {
      if (this.#isLimited) return { kind: 'rate-limited', reason: 'the API was overloaded or limited the rate' };
      return { kind: 'crashed', reason: `Claude Code ended without a result (${ending})` };
    }
    if (result.subtype === 'error_max_turns') return { kind: 'max-turns', reason: 'it reached its limit of turns' };
    if (result.subtype === 'error_max_budget_usd') return { kind: 'budget', reason: 'it reached its budget' };
    if (result.isError) return apiFailure(result);
    if (wantsStructure && result.structured === undefined)
      return { kind: 'no-answer', reason: 'it gave no answer in the form that was asked for' };
    return undefined;
  }
}

/** What a session has cost, by the last lines that it said; undefined where none of them says. */
export function costOf(lines: readonly string[], session: string): number | undefined {
  let cost: number | undefined;
  for (const line of lines) {
    if (!line.includes('"result"')) continue;
    try {
      const event: unknown = JSON.parse(line);
      if (!isRecord(event) || event['type'] !== 'result' || event['session_id'] !== session) continue;
      cost = Math.max(cost ?? 0, resultOf(event).costUsd);
    } catch {
      // Cut off by the end of what was read, or never one of its events.
    }
  }
  return cost;
}

function apiFailure({ status, text, terminalReason }: Result): { kind: FailureKind; reason: string } {
  const reason = text === '' ? terminalReason : text;
  if (status === 401 || status === 403 || status === 402 || /not logged in|\/login|credit balance|billing/i.test(text))
    return { kind: 'authentication', reason };
  if (status === 429 || status === 529) return { kind: 'rate-limited', reason };
  return { kind: 'api-error', reason };
}

function resultOf(event: Fields): Result {
  const errors = Array.isArray(event['errors']) ? event['errors'].map(String) : [];
  const denials = Array.isArray(event['permission_denials']) ? event['permission_denials'].filter(isRecord) : [];
  return {
    subtype: textOf(event['subtype']),
    isError: event['is_error'] === true,
    terminalReason: textOf(event['terminal_reason'] ?? event['subtype'] ?? 'unknown'),
    status: typeof event['api_error_status'] === 'number' ? event['api_error_status'] : undefined,
    text: typeof event['result'] === 'string' ? event['result'] : errors.join('; '),
    structured: event['structured_output'],
    costUsd: typeof event['total_cost_usd'] === 'number' ? event['total_cost_usd'] : 0,
    denied: denials.map((denial) => {
      const input = isRecord(denial['tool_input']) ? denial['tool_input'] : {};
      return `${textOf(denial['tool_name'])} ${textOf(input['command'] ?? input['file_path'])}`.trim();
    }),
  };
}

/** The parts of a message, of an assistant or of the tools that answer it. */
function partsOf(event: Fields): Fields[] {
  const message = event['message'];
  if (!isRecord(message) || !Array.isArray(message['content'])) return [];
  return message['content'].filter(isRecord);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}
