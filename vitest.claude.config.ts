import { defineConfig } from 'vitest/config';

/** `npm run test:claude`: the tests that need the real Claude Code, apart from all others. */
export default defineConfig({
  test: { include: ['test/claude/**/*.test.ts'], globalSetup: ['test/support/global-setup.ts'], testTimeout: 540_000 },
});
