// OpenAI's Agents SDK for JavaScript: an agent with tools, whole and streamed.
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, run, tool } from "@openai/agents";
import { z } from "zod";

const TASK = "Read notes.txt, write the word it names into answer.txt, and tell me the word.";
const read_file = tool({
  name: "read_file",
  description: "Return the text of a file.",
  parameters: z.object({ name: z.string() }),
  execute: async ({ name }) => readFileSync(name, "utf8"),
});
const write_file = tool({
  name: "write_file",
  description: "Write a file.",
  parameters: z.object({ name: z.string(), text: z.string() }),
  execute: async ({ name, text }) => {
    writeFileSync(name, text);
    return "written";
  },
});
const clerk = new Agent({
  name: "clerk",
  instructions: "You work on files.",
  model: "gpt-4o-mini",
  tools: [read_file, write_file],
});
console.log("loop:", (await run(clerk, TASK)).finalOutput);
const streamed = await run(clerk, `Once more. ${TASK}`, { stream: true });
await streamed.completed;
console.log("streamed:", streamed.finalOutput);
