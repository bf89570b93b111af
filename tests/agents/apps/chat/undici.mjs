// undici with an agent of its own, which reads no proxy from the environment: a chat, streamed.
import { Agent, fetch } from "undici";

const messages = [{ role: "user", content: "Hello from undici." }];
const response = await fetch("https://api.openai.com/v1/chat/completions", {
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
  body: JSON.stringify({ model: "gpt-4o-mini", stream: true, messages }),
  dispatcher: new Agent(),
});
const text = await response.text();
console.log(response.status, text.split("data:").length - 1, "events");
process.exitCode = response.status === 200 ? 0 : 1;
