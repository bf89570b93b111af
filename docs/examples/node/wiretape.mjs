// Each test is a scope of wiretape: a call without a recording fails the test, even where the program swallows the error.
// Copy this file beside your tests; it needs no package. See docs/guides/node.md.
//
//   wiretape run --mode replay -- node wiretape.mjs node --test --test-concurrency=1
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const { fetch } = globalThis; // tests may put another one in its place
const { WIRETAPE_CONTROL: control, HTTPS_PROXY: proxy = '' } = process.env;
const proxies = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'];

async function ask(method, path, content) {
  const response = await fetch(`${control}/v1${path}`, { method, body: content && JSON.stringify(content) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`wiretape: ${answer.error.message}`);
  return answer;
}

/** Make each test of a file a scope. `options`: session, mode, pace, takes, match, faults, isolated. */
export function scopes({ beforeEach, afterEach }, options = {}) {
  if (!control) return; // not behind wiretape run
  let scope;
  beforeEach(async (test) => {
    const test_id = test.task?.name ?? test.fullName ?? test.name; // Vitest's, or Node's
    scope = await ask('POST', '/scopes', { client: new URL(proxy).username, test_id, ...options });
  });
  afterEach(async () => {
    const account = await ask('DELETE', `/scopes/${scope.id}`);
    const wrong = account.misses.map((call) => call.miss?.text ?? call.request);
    if (account.lost) wrong.push(`wiretape: recordings lost: ${account.lost}`);
    if (wrong.length) throw new Error(wrong.join('\n\n'));
  });
}

// As a program it gives the command that follows a name of its own: the user of the proxy's URL.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of proxies.filter((each) => process.env[each])) {
    process.env[name] = process.env[name].replace(/^http:\/\/(?!.*@)/, `http://node-${process.pid}@`);
  }
  const [command, ...words] = process.argv.slice(2);
  process.exit(spawnSync(command, words, { stdio: 'inherit' }).status ?? 1);
}
