/** `coord setup claude`: merges, never overwrites, can be done twice, and can be taken back byte for byte. */
import { chmodSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PERMISSIONS as OF_COORD, SERVER_PERMISSION } from '../../../src/faces/claude-code/claude-files.ts';
import { Rig } from '../../support/rig.ts';

const PERMISSIONS = [...OF_COORD, SERVER_PERMISSION];

const root = fileURLToPath(new URL('../../..', import.meta.url));
const setup = (rig: Rig, args: string[] = []) =>
  rig.coord(['setup', 'claude', ...args], { env: { HOME: rig.path('home') } });
const isRoot = process.getuid?.() === 0;

test('in a subfolder it writes to the root of the project, and says so', async () => {
  for (const mark of ['.git/HEAD', '.coordination/tasks.json']) {
    const rig = new Rig();
    rig.write(mark, '');
    rig.write('deep/er/x', '');
    const ran = await rig.coord(['setup', 'claude'], { cwd: rig.path('deep/er'), env: { HOME: rig.path('home') } });
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining("the project's root") as string });
    expect(rig.exists('.mcp.json')).toBe(true);
    expect(rig.exists('deep/er/.mcp.json')).toBe(false);
  }
});

test('in an empty project it writes the server, the permissions and the skills, and says what will be asked', async () => {
  const rig = new Rig();
  const ran = await setup(rig);
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout.trim().split('\n')).toEqual([
    'wrote .mcp.json',
    'wrote .claude/settings.json',
    'wrote .claude/skills/coord-worker/SKILL.md',
    'wrote .claude/skills/coord-leader/SKILL.md',
    'wrote .gitignore',
  ]);
  expect(ran.stderr).toMatch(/trust this folder, where Enter means no/);
  expect(JSON.parse(rig.read('.mcp.json'))).toEqual({
    mcpServers: { coordination: { type: 'stdio', command: 'coord', args: ['mcp'] } },
  });
  expect(JSON.parse(rig.read('.claude/settings.json'))).toEqual({
    enabledMcpjsonServers: ['coordination'],
    permissions: { allow: PERMISSIONS },
  });
  expect(rig.read('.claude/skills/coord-worker/SKILL.md')).toMatch(
    /^---\nname: coord-worker\ndescription: ".+"\n---\n[^]*coord worker claim WORKER --wait/,
  );
  expect(rig.read('.gitignore')).toBe('.claude/worktrees/\n');
  const written = rig.snapshot();
  expect((await setup(rig)).stdout).toBe('Nothing to change.\n');
  expect(rig.snapshot()).toEqual(written);
  expect((await setup(rig, ['--hooks'])).stdout).toBe('wrote .claude/settings.json\n');
  const { hooks } = JSON.parse(rig.read('.claude/settings.json')) as { hooks: Record<string, unknown[]> };
  expect(Object.keys(hooks)).toEqual([
    'SessionStart',
    'UserPromptSubmit',
    'PreToolUse',
    'PostToolUse',
    'PostToolBatch',
    'Stop',
    'SessionEnd',
  ]);
  expect((await setup(rig, ['--hooks'])).stdout).toBe('Nothing to change.\n');
  expect((await setup(rig, ['--remove'])).code).toBe(0);
  expect(rig.snapshot()).toEqual({});
});

const USERS = `{
  // mine
  "mcpServers": {
    "other": { "command": "other" }, // keep
  },
}
`;
const SETTINGS = `{
\t"permissions": {
\t\t"allow": ["Bash(npm test)"],
\t\t"deny": ["Read(.env)"]
\t},
\t"hooks": {
\t\t"Stop": [{ "hooks": [{ "type": "command", "command": "say done" }] }]
\t},
\t"model": "opus"
}`;

describe('files that are there already', () => {
  const tables: [what: string, files: Record<string, string>][] = [
    ['nothing', {}],
    ['empty files', { '.mcp.json': '', '.claude/settings.json': '', '.gitignore': '' }],
    ['comments and another server', { '.mcp.json': USERS }],
    [
      'permissions and hooks of the user, with tabs',
      { '.claude/settings.json': SETTINGS, '.gitignore': 'node_modules' },
    ],
    ['Windows line ends', { '.claude/settings.json': '{\r\n  "model": "opus"\r\n}\r\n' }],
    ['a server of the same name', { '.mcp.json': '{"mcpServers":{"coordination":{"command":"mine"}}}' }],
    ['a skill of the same name', { '.claude/skills/coord-worker/SKILL.md': 'mine\n' }],
  ];

  test.each(tables)(
    '%s: dry run writes nothing, set-up keeps all of it, removal restores it byte for byte',
    async (_what, files) => {
      const rig = new Rig();
      for (const [name, text] of Object.entries(files)) rig.write(name, text);
      const dry = await setup(rig, ['--hooks', '--dry-run']);
      expect(dry).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^\+/m),
        stderr: expect.stringMatching(/Nothing was written/),
      });
      expect(rig.snapshot()).toEqual(files);
      expect((await setup(rig, ['--hooks'])).code).toBe(0);
      const settings = rig.read('.claude/settings.json');
      for (const kept of ['npm test', 'Read(.env)', 'say done', 'opus'])
        if (files['.claude/settings.json']?.includes(kept)) expect(settings).toContain(kept);
      expect(settings).toContain('coord hook stop');
      if (files['.mcp.json'] === USERS) expect(rig.read('.mcp.json')).toContain('// mine');
      if (files['.mcp.json']?.includes('mine"')) expect(rig.read('.mcp.json')).toBe(files['.mcp.json']);
      if (files['.claude/skills/coord-worker/SKILL.md'])
        expect(rig.read('.claude/skills/coord-worker/SKILL.md')).toBe('mine\n');
      const written = rig.snapshot();
      expect((await setup(rig, ['--hooks'])).stdout).toBe('Nothing to change.\n');
      expect(rig.snapshot()).toEqual(written);
      expect((await setup(rig, ['--remove'])).code).toBe(0);
      expect(rig.snapshot()).toEqual(files);
    },
  );

  test('changed since: only what is ours is taken away', async () => {
    const rig = new Rig();
    rig.write('.claude/settings.json', SETTINGS);
    await setup(rig, ['--hooks']);
    const settings = JSON.parse(rig.read('.claude/settings.json')) as Record<string, unknown>;
    rig.write('.claude/settings.json', JSON.stringify({ ...settings, theme: 'dark' }, null, 2));
    rig.write('.claude/skills/coord-leader/SKILL.md', 'changed');
    const removed = await setup(rig, ['--remove']);
    expect(removed.stderr).toMatch(/coord-leader\/SKILL\.md was changed since; it stays/);
    expect(JSON.parse(rig.read('.claude/settings.json'))).toMatchObject({
      theme: 'dark',
      model: 'opus',
      permissions: { allow: ['Bash(npm test)'], deny: ['Read(.env)'] },
      hooks: { Stop: [{ hooks: [{ type: 'command', command: 'say done' }] }] },
    });
    expect(rig.read('.claude/settings.json')).not.toMatch(/coord hook|mcp__coordination/);
  });

  test.each([
    ['.mcp.json', '{ "mcpServers": {'],
    ['.mcp.json', '[]'],
    ['.mcp.json', '{"mcpServers": []}'],
    ['.claude/settings.json', '{ nope }'],
    ['.claude/settings.json', '{"permissions": "all"}'],
    ['.claude/settings.json', '{"permissions": {"allow": "all"}}'],
    ['.claude/settings.json', '{"hooks": {"Stop": {}}}'],
  ])('malformed %s (%s): refused, and nothing is changed anywhere', async (name, text) => {
    const rig = new Rig();
    rig.write(name, text);
    const ran = await setup(rig, ['--hooks']);
    expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/cannot be understood/) });
    expect(rig.snapshot()).toEqual({ [name]: text });
  });

  test.skipIf(isRoot)('read-only: refused, and what was written before is put back', async () => {
    const rig = new Rig();
    rig.write('.claude/settings.json', '{}');
    chmodSync(rig.path('.claude/settings.json'), 0o400);
    expect((await setup(rig)).code).toBe(1);
    expect(rig.snapshot()).toEqual({ '.claude/settings.json': '{}' });
  });
});

test('where .claude cannot be a folder: refused, and .mcp.json is put back', async () => {
  const rig = new Rig();
  rig.write('.claude', 'a file');
  expect(await setup(rig)).toMatchObject({ code: 1, stdout: '' });
  expect(rig.snapshot()).toEqual({ '.claude': 'a file' });
});

test('--scope user writes into the home, and a project needs nothing then', async () => {
  const rig = new Rig();
  rig.write('home/.claude.json', '{"numStartups": 3}');
  expect((await setup(rig, ['--scope', 'user', '--hooks'])).code).toBe(0);
  expect(JSON.parse(rig.read('home/.claude.json'))).toMatchObject({ numStartups: 3, mcpServers: { coordination: {} } });
  expect(JSON.parse(rig.read('home/.claude/settings.json'))).toMatchObject({
    permissions: { allow: PERMISSIONS },
  });
  expect(rig.exists('.mcp.json')).toBe(false);
  await setup(rig, ['--scope', 'user', '--remove']);
  expect(rig.snapshot()).toEqual({ 'home/.claude.json': '{"numStartups": 3}' });
});

test('leader init writes nothing into .claude, and says how to', async () => {
  const rig = new Rig();
  const ran = await rig.coord(['leader', 'init', 'x']);
  expect(ran.stderr).toContain('coord setup claude');
  expect(rig.exists('.claude')).toBe(false);
});

test('the plugin lies in the package, says the same, and bears its version', async () => {
  const rig = new Rig();
  const ran = await setup(rig, ['--plugin']);
  expect(ran.stdout).toMatch(/^claude --plugin-dir \S+plugin\n$/);
  const read = (name: string): string => readFileSync(`${root}dist/plugin/${name}`, 'utf8');
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
  expect(JSON.parse(read('.claude-plugin/plugin.json'))).toMatchObject({ name: 'coord', version });
  await setup(rig, ['--hooks']);
  const settings = JSON.parse(rig.read('.claude/settings.json')) as { hooks: unknown };
  expect(JSON.parse(read('hooks/hooks.json'))).toEqual({ hooks: settings.hooks });
  expect(JSON.parse(read('.mcp.json'))).toEqual(JSON.parse(rig.read('.mcp.json')));
  for (const name of ['coord-worker', 'coord-leader'])
    expect(read(`skills/${name}/SKILL.md`)).toBe(rig.read(`.claude/skills/${name}/SKILL.md`));
  expect(read('commands/work.md')).toContain('coord worker claim $ARGUMENTS --wait');
});
