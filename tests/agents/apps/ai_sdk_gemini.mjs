// The AI SDK on Gemini, for whose calls it makes ids of its own.
import { readFile, writeFile } from "node:fs/promises";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";

const google = createGoogleGenerativeAI({ apiKey: process.env.GEMINI_API_KEY });
const read_file = tool({
  description: "Return the text of a file in the working directory.",
  inputSchema: z.object({ name: z.string() }),
  execute: ({ name }) => readFile(name, "utf8"),
});
const write_file = tool({
  description: "Write a file in the working directory.",
  inputSchema: z.object({ name: z.string(), text: z.string() }),
  execute: async ({ name, text }) => {
    await writeFile(name, text);
    return "written";
  },
});
const { text } = await generateText({
  model: google("gemini-2.5-flash"),
  prompt: process.argv[2],
  tools: { read_file, write_file },
  stopWhen: stepCountIs(5),
});
console.log(text);
