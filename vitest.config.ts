import { defineConfig } from 'vitest/config'

// Tests start servers of their own on port 0; two workers suit the smallest machine we test on. How long they may take is
// for what hangs: a machine that others share is ten times slower than one that is ours, and no test measures it.
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 90_000, interval: 20 } },
    maxWorkers: 2,
  },
})
