// ws, which reads no proxy from the environment: a WebSocket, and an HTTP request where there is none.
import { once } from "node:events";
import https from "node:https";
import WebSocket from "ws";

const headers = { authorization: `Bearer ${process.env.OPENAI_API_KEY}` };
const socket = new WebSocket("wss://api.openai.com/v1/responses", { headers });
const status = await new Promise((settled) => {
  socket.on("open", () => settled(101));
  socket.on("unexpected-response", (request, response) => settled(response.statusCode));
  socket.on("error", (fault) => settled(fault.message));
});
console.log("WebSocket:", status === 101 ? "open" : "refused");

const request = https.request("https://api.openai.com/v1/responses", {
  method: "POST",
  agent: new https.Agent(),
  headers: { ...headers, "content-type": "application/json" },
});
request.end(JSON.stringify({ model: "gpt-4o-mini", input: "Hello from ws." }));
const [response] = await once(request, "response");
response.resume();
await once(response, "end");
console.log("HTTP:", response.statusCode);
process.exit(response.statusCode === 200 ? 0 : 1);
