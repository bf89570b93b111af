// fetch, as Node, Bun and Deno have it: a chat, streamed, then two at once.
const key = globalThis.Deno ? Deno.env.get("OPENAI_API_KEY") : process.env.OPENAI_API_KEY;

function ask(question, stream) {
  const messages = [{ role: "user", content: question }];
  return fetch("https://api.openai.com/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "gpt-4o-mini", stream, messages }),
  });
}

const streamed = await ask("Hello from fetch.", true);
let text = "";
for await (const piece of streamed.body.pipeThrough(new TextDecoderStream())) text += piece;
const two = await Promise.all([ask("One?", false), ask("Two?", false)]);
for (const each of two) await each.text();
console.log(streamed.status, text.split("data:").length - 1, "events", two.map((each) => each.status).join());
