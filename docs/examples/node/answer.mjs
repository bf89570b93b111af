// A program that calls a model, and shows its users no errors.
const url = 'https://api.fireworks.ai/inference/v1/chat/completions';
const model = 'accounts/fireworks/models/llama-v3p1-8b-instruct';

export async function answer(content, more = {}) {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content }], stream: true, ...more });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${process.env.FIREWORKS_API_KEY}` };
  const response = await fetch(url, { method: 'POST', headers, body });
  if (!response.ok) return 'Sorry, try again later.';
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: {'));
  return lines.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta.content ?? '').join('');
}
