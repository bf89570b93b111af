import { defineConfig } from 'vitest/config';

// One file at a time: all of them are one client of the proxy, which has one scope at a time.
export default defineConfig({ test: { include: ['*.vitest.mjs'], fileParallelism: false } });
