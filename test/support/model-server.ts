/** A scripted model on loopback that speaks the streaming Messages API, for the real Claude Code. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ModelRequest {
  /** Everything said so far, as one text. */
  said: string;
  /** Names of the tools on offer. */
  tools: string[];
  /** How often tools have answered in this conversation. */
  toolResults: number;
  /** Characters of all that is sent, but for what the session's own ids change. */
  characters: number;
}

/** What the model does next. */
export type Move =
  | { text: string }
  | { tool: string; input: Record<string, unknown> }
  /** Several at once. */
  | { tools: { tool: string; input: Record<string, unknown> }[] }
  | { status: number; message: string }
  | { silence: true };

export interface ModelServer {
  url: string;
  requests: ModelRequest[];
  close: () => void;
}

export async function startModel(decide: (request: ModelRequest) => Move): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      if (!request.url?.startsWith('/v1/messages')) return response.writeHead(404).end();
      if (request.url.includes('count_tokens')) return json(response, 200, { input_tokens: 10 });
      const asked = describe(body);
      requests.push(asked);
      const move = decide(asked);
      if ('silence' in move) return undefined;
      if ('status' in move)
        return json(response, move.status, {
          type: 'error',
          error: { type: 'invalid_request_error', message: move.message },
        });
      return stream(response, move, String(body['model']));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Body = Record<string, unknown>;

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString() || '{}') as Body;
}

function describe(body: Body): ModelRequest {
  const messages = JSON.stringify(body['messages'] ?? []);
  return {
    said: messages.replaceAll('\\n', '\n').replaceAll('\\"', '"'),
    tools: ((body['tools'] ?? []) as { name?: string }[]).map((tool) => tool.name ?? ''),
    characters: JSON.stringify([body['messages'], body['tools'], body['system']]).length,
    toolResults: messages.match(/"type":"tool_result"/g)?.length ?? 0,
  };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** @see https://docs.anthropic.com/en/api/messages-streaming */
function stream(
  response: ServerResponse,
  move: Exclude<Move, { status: number } | { silence: true }>,
  model: string,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, data: object): boolean =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('message_start', {
    message: {
      id: `msg_${Date.now()}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  });
  const blocks = 'tools' in move ? move.tools : [move];
  for (const [index, block] of blocks.entries()) {
    const id = `toolu_${Date.now()}${Math.random().toString(36).slice(2, 8)}`;
    send('content_block_start', {
      index,
      content_block:
        'tool' in block ? { type: 'tool_use', id, name: block.tool, input: {} } : { type: 'text', text: '' },
    });
    send('content_block_delta', {
      index,
      delta:
        'tool' in block
          ? { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
          : { type: 'text_delta', text: block.text },
    });
    send('content_block_stop', { index });
  }
  const isTool = !('text' in move);
  send('message_delta', {
    delta: { stop_reason: isTool ? 'tool_use' : 'end_turn', stop_sequence: null },
    usage: { output_tokens: 10 },
  });
  send('message_stop', {});
  response.end();
}
