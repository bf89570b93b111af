// Asks a model, in Node: nothing in it knows of a proxy.
const answer = await fetch('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
  body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: process.argv[2] }] }),
});
if (!answer.ok) throw new Error(await answer.text());
process.stdout.write((await answer.json()).choices[0].message.content);
