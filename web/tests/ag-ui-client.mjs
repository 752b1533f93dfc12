// Drives the AG-UI door with AG-UI's own client; prints what it found as JSON. Not a test by itself: a test of the server
// starts it with the server's address and a token.
import { HttpAgent } from "@ag-ui/client";

const [url, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const found = {};
const text = (agent) => agent.messages.filter((each) => each.role === "assistant").map((each) => each.content ?? "").join("");

// An agent whose thread can be come back to: what the thread holds, and what is being said.
class Famulus extends HttpAgent {
  connect(input) {
    return new HttpAgent({ url: `${this.url}/connect`, headers: this.headers }).run(input);
  }
}
const agentOf = (threadId) => new Famulus({ url, headers, threadId });
const say = (agent, content, options = {}, subscriber = {}) => {
  agent.addMessage({ id: crypto.randomUUID(), role: "user", content });
  return agent.runAgent(options, subscriber);
};

const agent = agentOf(`node-${crypto.randomUUID()}`);
const customs = [];
await say(agent, "Hello.", {}, { onCustomEvent: ({ event }) => void customs.push(event.name) });
found.hello = text(agent);
found.customs = customs;
const before = agent.messages.length;
await say(agent, "Please use a tool.");
found.tool = agent.messages.slice(before).map((each) => [each.role, each.toolCalls?.[0]?.function.name ?? null]);
found.last = agent.messages.at(-1).content;

const tools = [{ name: "get_weather", description: "Says how the weather is.", parameters: { type: "object", properties: {} } }];
const weather = agentOf(`node-${crypto.randomUUID()}`);
await say(weather, "How is the weather?", { tools });
const call = weather.messages.at(-1).toolCalls[0];
found.asked = [call.function.name, JSON.parse(call.function.arguments)];
weather.addMessage({ id: crypto.randomUUID(), role: "tool", toolCallId: call.id, content: "Rain." });
await weather.runAgent({ tools });
found.weather = weather.messages.at(-1).content;

const eraser = agentOf(`node-${crypto.randomUUID()}`);
await say(eraser, `Please erase node${Date.now()}`);
const [interrupt] = eraser.pendingInterrupts;
found.interrupt = interrupt.reason;
await eraser.runAgent({ resume: [{ interruptId: interrupt.id, status: "resolved", payload: { approved: true } }] });
found.erased = eraser.messages.at(-1).content;
found.pending = eraser.pendingInterrupts.length;

const dropped = agentOf(`node-${crypto.randomUUID()}`);
let seen = 0;
await say(dropped, "Answer briefly.", {}, {
  onTextMessageContentEvent: () => {
    seen += 1;
    if (seen === 3) dropped.abortRun();
  },
}).catch(() => {});
const back = agentOf(dropped.threadId);
await back.connectAgent();
found.back = text(back);
found.roles = back.messages.map((each) => each.role);

try {
  const stranger = new HttpAgent({ url, threadId: "x" });
  stranger.addMessage({ id: "m", role: "user", content: "Hello." });
  await stranger.runAgent();
} catch (error) {
  found.refused = error.status;
}
console.log(JSON.stringify(found));
