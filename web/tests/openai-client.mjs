// Drives the OpenAI-compatible door with OpenAI's client for Node; prints what it found as JSON. Not a test by itself:
// a test of the server starts it with the server's address and a key.
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "famulus";
const found = {};

found.models = (await client.models.list()).data.map((each) => each.id);

const chunks = [];
const chat = await client.chat.completions.create({
  model,
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "Hello." }],
});
for await (const chunk of chat) chunks.push(chunk);
found.chat = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
found.tokens = chunks.at(-1).usage.total_tokens;

const stream = client.responses.stream({ model, input: "Please use a tool." });
found.events = [];
stream.on("event", (event) => found.events.push(event.type));
const final = await stream.finalResponse();
found.final = final.output_text;
found.items = final.output.map((item) => item.type);

const conversation = await client.conversations.create({
  items: [{ type: "message", role: "user", content: "What is a spring?" }],
});
const answer = await client.responses.create({ model, input: "Hello.", conversation: conversation.id });
found.answer = answer.output_text;
found.said = [];
for await (const item of client.conversations.items.list(conversation.id, { order: "asc", limit: 1 }))
  found.said.push(item.content[0].text);

const slow = await client.responses.create({ model, input: "Answer slowly.", background: true, stream: true });
const seen = [];
for await (const event of slow) {
  seen.push(event);
  if (seen.length === 10) break;
}
const id = seen[0].response.id;
const numbers = seen.map((event) => event.sequence_number);
const rest = await client.responses.retrieve(id, { stream: true, starting_after: numbers.at(-1) });
for await (const event of rest) {
  if (numbers.length === 10) await client.responses.cancel(id);
  numbers.push(event.sequence_number);
}
found.gapless = numbers.every((number, at) => number === at);
found.status = (await client.responses.retrieve(id)).status;

try {
  await client.chat.completions.create({ model: "gpt-5", messages: [{ role: "user", content: "Hello." }] });
} catch (error) {
  found.refused = { name: error.constructor.name, status: error.status, code: error.code };
}
console.log(JSON.stringify(found));
