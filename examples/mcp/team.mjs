// A team without a model: one scripted client leads over MCP, two work. Each talks to a `coord mcp` process of its own, as
// three Claude Code terminals would; only the folder is shared.
//
//   npm install claude-coord @modelcontextprotocol/client
//   node team.mjs            in an empty folder
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

// `coord` on PATH, or what COORD names: COORD="node ../../bin/coord.cjs"
const [command, ...args] = (process.env.COORD ?? 'coord').split(' ');

async function connect(worker) {
  const client = new Client({ name: 'team-example', version: '1.0.0' });
  await client.connect(
    new StdioClientTransport({ command, args: [...args, 'mcp', '--worker', worker], env: { ...process.env } }),
  );
  const call = async (tool, input = {}) => {
    // Progress keeps a long wait alive; here nobody looks at it.
    const result = await client.callTool({ name: tool, arguments: input }, { onprogress: () => {} });
    if (result.isError) throw new Error(`${worker}, ${tool}: ${result.content[0].text}`);
    return result.structuredContent;
  };
  return { call, close: () => client.close() };
}

async function work(worker) {
  const { call, close } = await connect(worker);
  for (;;) {
    const claimed = await call('claim_task');
    if (claimed.claimed) {
      const { id, description } = claimed.task;
      console.log(`${worker} claimed ${id}: ${description}`);
      const { builds_on: earlier = [] } = await call('get_task', { task_id: id });
      await call('add_discovery', {
        content: `${id} took ${earlier.length} earlier results into account`,
        task_id: id,
      });
      const { now_claimable: freed } = await call('complete_task', {
        task_id: id,
        output: `${description}: done by ${worker}.`,
      });
      console.log(`${worker} completed ${id}${freed.length > 0 ? `, which frees ${freed.join(', ')}` : ''}`);
    } else if (claimed.reason === 'blocked') {
      await call('wait_for_task');
    } else {
      console.log(`${worker} stops: ${claimed.reason}`);
      return close();
    }
  }
}

const leader = await connect('leader');
const { dir } = await leader.call('init_coordination', {
  goal: 'Build a REST API for user management',
  approach: 'The model first, then the endpoints side by side, then the documentation.',
});
console.log(`board in ${dir}`);
await leader.call('create_task', {
  tasks: [
    { key: 'model', description: 'Create the User model', priority: 1, files: ['src/models/user.ts'] },
    { key: 'register', description: 'Add POST /users', dependencies: ['model'], files: ['src/routes/users.ts'] },
    { key: 'login', description: 'Add POST /login', dependencies: ['model'], files: ['src/routes/login.ts'] },
    { description: 'Document the API', dependencies: ['register', 'login'], files: ['docs/api.md'] },
  ],
});
await Promise.all([work('terminal-2'), work('terminal-3')]);
const { counts } = await leader.call('get_status');
console.log(`${counts.done} of ${counts.total} tasks done`);
await leader.close();
