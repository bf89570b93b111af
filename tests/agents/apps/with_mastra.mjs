// Mastra: an agent with tools, whole and streamed.
import { readFileSync, writeFileSync } from "node:fs";
import { openai } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";

const TASK = "Read notes.txt, write the word it names into answer.txt, and tell me the word.";
const read_file = createTool({
  id: "read_file",
  description: "Return the text of a file.",
  inputSchema: z.object({ name: z.string() }),
  execute: async (given) => ({ text: readFileSync((given.context ?? given).name, "utf8") }),
});
const write_file = createTool({
  id: "write_file",
  description: "Write a file.",
  inputSchema: z.object({ name: z.string(), text: z.string() }),
  execute: async (given) => {
    const { name, text } = given.context ?? given;
    writeFileSync(name, text);
    return { said: "written" };
  },
});
const clerk = new Agent({
  id: "clerk",
  name: "clerk",
  instructions: "You work on files.",
  model: openai("gpt-4o-mini"),
  tools: { read_file, write_file },
});
console.log("loop:", (await clerk.generate(TASK)).text);
let text = "";
for await (const delta of (await clerk.stream(`Once more. ${TASK}`)).textStream) text += delta;
console.log("streamed:", text);
