/** Real MCP clients on real server processes. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { onTestFinished } from 'vitest';
import { BIN, type Rig, scrubbedEnv } from './rig.ts';

/** The handshake of 2025, or the stateless protocol of 2026. */
export type Era = 'legacy' | 'modern';
export const ERAS: Era[] = ['legacy', 'modern'];

const NEGOTIATION = { legacy: { mode: 'legacy' }, modern: { mode: { pin: '2026-07-28' } } } as const;

export interface Answer {
  isError: boolean;
  text: string;
  data: Record<string, unknown>;
}

export class Agent {
  readonly client: Client;
  #pid: (() => number | null) | undefined;

  private constructor(client: Client, pid?: () => number | null) {
    this.client = client;
    this.#pid = pid;
  }

  /** A `coord mcp` process of its own, in the folder of the rig. */
  static async start(
    rig: Rig,
    options: { era?: Era; args?: string[]; env?: Record<string, string>; name?: string } = {},
  ): Promise<Agent> {
    const client = newClient(options.era ?? 'legacy', options.name);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [BIN, 'mcp', ...(options.args ?? [])],
      cwd: rig.cwd,
      env: scrubbedEnv(options.env),
      stderr: 'pipe',
    });
    await client.connect(transport);
    onTestFinished(() => client.close().catch(() => {}));
    return new Agent(client, () => transport.pid);
  }

  static async overHttp(url: string, token: string, era: Era = 'legacy'): Promise<Agent> {
    const client = newClient(era);
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { Authorization: `Bearer ${token}` } },
      }),
    );
    onTestFinished(() => client.close().catch(() => {}));
    return new Agent(client);
  }

  get pid(): number {
    return this.#pid?.() ?? 0;
  }

  async call(
    name: string,
    args: Record<string, unknown> = {},
    options: { onprogress?: (progress: { progress: number; message?: string }) => void; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const result = await this.client.callTool({ name, arguments: args }, { timeout: 60_000, ...options } as never);
    const [content] = result.content as { type: string; text: string }[];
    return {
      isError: result.isError === true,
      text: content?.text ?? '',
      data: (result.structuredContent ?? {}) as Record<string, unknown>,
    };
  }

  /** The facts of a call that must succeed. */
  async ok(name: string, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const answer = await this.call(name, args);
    if (answer.isError) throw new Error(`${name}: ${answer.text}`);
    return answer.data;
  }
}

function newClient(era: Era, name = 'test-client'): Client {
  return new Client({ name, version: '1.0.0' }, { versionNegotiation: NEGOTIATION[era] });
}
