// The AI SDK: a stream, a loop of tools, an answer of a type, several at once; with OpenAI, Anthropic and Google.
import { readFileSync, writeFileSync } from "node:fs";
import { anthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { openai } from "@ai-sdk/openai";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const TASK = "Read notes.txt, write the word it names into answer.txt, and tell me the word.";
const google = createGoogleGenerativeAI({ apiKey: process.env.GEMINI_API_KEY });
const models = {
  responses: openai("gpt-4o-mini"),
  chat: openai.chat("gpt-4o-mini"),
  anthropic: anthropic("claude-sonnet-4-5"),
  gemini: google("gemini-2.5-flash"),
};
const tools = {
  read_file: tool({
    description: "Return the text of a file.",
    inputSchema: z.object({ name: z.string() }),
    execute: async ({ name }) => readFileSync(name, "utf8"),
  }),
  write_file: tool({
    description: "Write a file.",
    inputSchema: z.object({ name: z.string(), text: z.string() }),
    execute: async ({ name, text }) => {
      writeFileSync(name, text);
      return "written";
    },
  }),
};
const city = z.object({ name: z.string(), inhabitants: z.number().int() });

for (const [name, model] of Object.entries(models)) {
  const streamed = streamText({ model, tools, stopWhen: stepCountIs(5), prompt: `Once more. ${TASK}` });
  let text = "";
  for await (const delta of streamed.textStream) text += delta;
  console.log(name, "streamed:", text);
  const done = await generateText({ model, tools, stopWhen: stepCountIs(5), prompt: TASK });
  console.log(name, "loop:", done.text);
  console.log(name, "typed:", JSON.stringify((await generateObject({ model, schema: city, prompt: "Name a city." })).object));
  const questions = [1, 2, 3, 4, 5].map((number) => generateText({ model, prompt: `Question ${number}?` }));
  console.log(name, "together:", (await Promise.all(questions)).map((each) => each.text).join("; "));
}
