// With Node's own test runner.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { answer } from './answer.mjs';
import { scopes } from './wiretape.mjs';

scopes({ beforeEach, afterEach });

test('it greets', async () => {
  assert.ok((await answer('Hello, world!')).length > 10);
});

test('it knows the capital', async () => {
  assert.ok((await answer('What is the name of the US captial?', { n: 2 })).length > 10);
});
