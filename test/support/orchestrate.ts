/** An orchestrator on a project, with the stand-in for Claude Code and short pauses; it is stopped when the test ends. */
import { onTestFinished } from 'vitest';
import type { RunEvent } from '../../src/runner/events.ts';
import type { OrchestratorOptions } from '../../src/runner/options.ts';
import { Orchestrator } from '../../src/runner/orchestrator.ts';
import { type Project, STAND_IN } from './claude.ts';
import { BIN, scrubbedEnv } from './rig.ts';

export function orchestrate(
  project: Project,
  options: Partial<OrchestratorOptions> = {},
): { events: RunEvent[]; orchestrator: Orchestrator } {
  const events: RunEvent[] = [];
  const orchestrator = new Orchestrator({
    workingDirectory: project.cwd,
    claude: STAND_IN,
    env: scrubbedEnv(project.env),
    coord: [process.execPath, BIN],
    retryPauseMs: 10,
    limitPauseMs: 50,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => orchestrator.stop());
  return { events, orchestrator };
}
