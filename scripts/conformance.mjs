// Independent judges of `coord mcp`: the Inspector's command line over stdio, and the scenarios of the official
// conformance suite that need no fixture in the server, over HTTP. What could not be installed here is said, and skipped.
//   node scripts/conformance.mjs
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';
const SUITE = '@modelcontextprotocol/conformance@0.1.16';
/** The suite needs Node 22 or later. */
const NODE = 'node@24';
const SCENARIOS = [
  'server-initialize',
  'ping',
  'tools-list',
  'resources-list',
  'resources-subscribe',
  'resources-unsubscribe',
  'prompts-list',
  'dns-rebinding-protection',
];
const GUARDED = 'dns-rebinding-protection';

const run = promisify(execFile);
const BIN = fileURLToPath(new URL('../bin/coord.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'coord-conformance-'));
const coord = (...args) => run(process.execPath, [BIN, ...args], { cwd: folder });
let failed = 0;
const report = (ok, what, detail = '') => {
  if (!ok) failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}${ok ? '' : `\n${detail}`}`);
};

/** Installs into a folder of its own. @returns undefined, with a message, where the registry does not give it */
async function install(...packages) {
  const prefix = mkdtempSync(join(folder, 'npm-'));
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', prefix, ...packages]);
    return join(prefix, 'node_modules', '.bin');
  } catch (error) {
    console.log(
      `skip ${packages.join(', ')} could not be installed here: ${String(error.stderr).trim().split('\n').at(-1)}`,
    );
    return undefined;
  }
}

async function inspect() {
  const bin = await install(INSPECTOR);
  if (!bin) return;
  const inspector = async (...args) => {
    const { stdout } = await run(join(bin, 'mcp-inspector'), ['--cli', process.execPath, BIN, 'mcp', ...args], {
      cwd: folder,
    });
    return JSON.parse(stdout);
  };
  const { tools } = await inspector('--method', 'tools/list');
  report(tools.length === 10, `inspector: tools/list gives ${tools.length} tools`);
  const made = await inspector(
    '--method',
    'tools/call',
    '--tool-name',
    'create_task',
    '--tool-arg',
    'description=From the inspector',
  );
  report(made.structuredContent?.ids?.length === 1, 'inspector: create_task', JSON.stringify(made));
  const claimed = await inspector(
    '--method',
    'tools/call',
    '--tool-name',
    'claim_task',
    '--tool-arg',
    'worker=inspector',
  );
  report(
    claimed.structuredContent?.task?.description === 'From the inspector',
    'inspector: claim_task',
    JSON.stringify(claimed),
  );
  const { resources } = await inspector('--method', 'resources/list');
  report(resources.length >= 3, `inspector: resources/list gives ${resources.length}`);
  const { prompts } = await inspector('--method', 'prompts/list');
  report(prompts.length === 3, `inspector: prompts/list gives ${prompts.length}`);
}

/** The suite sends no token, so this adds one on the way. Without `guard` it also hides who was called, as if nobody checked. */
function relay(target, token, guard) {
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    if (!guard) {
      headers.host = new URL(target).host;
      delete headers.origin;
    }
    const onward = request(target, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}/mcp`, server })),
  );
}

async function conform() {
  const bin = await install(SUITE, NODE);
  if (!bin) return;
  const { stdout: token } = await coord('mcp', 'token', 'conformance');
  const child = spawn(process.execPath, [BIN, 'mcp', '--http', '--port', '0'], { cwd: folder });
  try {
    let said = '';
    const target = await new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(said)));
      child.stderr.on('data', (chunk) => {
        said += chunk;
        const url = /serving (\S+),/.exec(said)?.[1];
        if (url) resolve(url);
      });
    });
    const suite = join(bin, '..', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
    const scenario = async (url, name) => {
      try {
        await run(join(bin, 'node'), [suite, 'server', '--url', url, '--scenario', name], { cwd: folder });
        return { ok: true, output: '' };
      } catch (error) {
        return { ok: false, output: `${error.stdout}${error.stderr}` };
      }
    };
    const guarded = await relay(target, token.trim(), true);
    for (const name of SCENARIOS) {
      const { ok, output } = await scenario(guarded.url, name);
      report(ok, `conformance: ${name}`, output);
    }
    const open = await relay(target, token.trim(), false);
    const { ok } = await scenario(open.url, GUARDED);
    report(!ok, `conformance: ${GUARDED} fails where the guard sees nothing (negative control)`, 'it passed');
    for (const { server } of [guarded, open]) server.close().closeAllConnections();
  } finally {
    child.kill();
  }
}

try {
  await coord('leader', 'init', 'Conformance');
  await inspect();
  await conform();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
