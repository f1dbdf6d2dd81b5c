import { defineConfig } from 'vitest/config';

/** The tests that run in this process, where Stryker can switch a mutant on: no built binary, no child processes. */
export default defineConfig({
  test: {
    include: ['test/model/**/*.test.ts', 'test/store/*.test.ts', 'test/store/file/{board-text,commit-log}.test.ts'],
    testTimeout: 30_000,
  },
});
