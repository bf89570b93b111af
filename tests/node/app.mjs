// An app with the openai package: nothing in it knows of a proxy.
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: 'https://api.fireworks.ai/inference/v1', apiKey: 'no-key-needed' });
const model = 'accounts/fireworks/models/llama-v3p1-8b-instruct';
const messages = [{ role: 'user', content: 'Hello, world!' }];
const stream = await client.chat.completions.create({ model, messages, stream: true });
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '');
