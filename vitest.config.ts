import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/claude/**'], // npm run test:claude
    globalSetup: 'test/support/global-setup.ts',
    // Real processes on shared machines: a bound only against hanging, far above what any test needs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most of them wait for processes: two more files than cores keep both cores busy.
    maxWorkers: 4,
    maxConcurrency: 16,
  },
});
