// With Vitest.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answer } from './answer.mjs';
import { scopes } from './wiretape.mjs';

scopes({ beforeEach, afterEach });

test('it greets', async () => {
  expect((await answer('Hello, world!')).length).toBeGreaterThan(10);
});

test('it knows the capital', async () => {
  expect((await answer('What is the name of the US captial?', { n: 2 })).length).toBeGreaterThan(10);
});
