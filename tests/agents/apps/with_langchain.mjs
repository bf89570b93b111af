// LangChain JS: a stream, an agent with tools, an answer of a type, several at once.
import { readFileSync, writeFileSync } from "node:fs";
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { z } from "zod";

const TASK = "Read notes.txt, write the word it names into answer.txt, and tell me the word.";
const read_file = tool(({ name }) => readFileSync(name, "utf8"), {
  name: "read_file",
  description: "Return the text of a file.",
  schema: z.object({ name: z.string() }),
});
const write_file = tool(
  ({ name, text }) => {
    writeFileSync(name, text);
    return "written";
  },
  { name: "write_file", description: "Write a file.", schema: z.object({ name: z.string(), text: z.string() }) },
);
const city = z.object({ name: z.string(), inhabitants: z.number().int() });
const models = {
  openai: new ChatOpenAI({ model: "gpt-4o-mini" }),
  anthropic: new ChatAnthropic({ model: "claude-sonnet-4-5" }),
};

for (const [name, model] of Object.entries(models)) {
  let text = "";
  for await (const chunk of await model.stream("Hello.")) text += chunk.text;
  console.log(name, "streamed:", text);
  const clerk = createAgent({ model, tools: [read_file, write_file] });
  const done = await clerk.invoke({ messages: [{ role: "user", content: TASK }] });
  console.log(name, "loop:", done.messages.at(-1).text);
  console.log(name, "typed:", JSON.stringify(await model.withStructuredOutput(city).invoke("Name a city.")));
  const answers = await Promise.all([1, 2, 3].map((number) => model.invoke(`Question ${number}?`)));
  console.log(name, "together:", answers.map((each) => each.text).join("; "));
}
