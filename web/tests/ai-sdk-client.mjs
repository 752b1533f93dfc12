// Drives the AI SDK's door with the AI SDK itself; prints what it found as JSON. Not a test by itself: a test of the server
// starts it with the server's address and a token.
import {
  AbstractChat,
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
  validateUIMessages,
} from "ai";

const [url, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const found = {};
const read = (name) => fetch(`${url}/${name}/messages`, { headers }).then((answer) => answer.json());
const text = (message) => message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");

// What `useChat` keeps in React's state, kept in plain fields.
class State {
  status = "ready";
  error = undefined;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => void (this.messages = [...this.messages, message]);
  popMessage = () => void (this.messages = this.messages.slice(0, -1));
  replaceMessage = (at, message) => void (this.messages = this.messages.with(at, this.snapshot(message)));
  snapshot = (thing) => structuredClone(thing);
}
class Chat extends AbstractChat {
  constructor({ messages = [], ...init }) {
    super({ ...init, state: new State(messages) });
  }
}
const chatOf = (id, options = {}, body = {}) =>
  new Chat({ id, transport: new DefaultChatTransport({ api: url, headers, body }), ...options });
const name = () => `node-${crypto.randomUUID()}`;

const first = name();
const chat = chatOf(first);
await chat.sendMessage({ text: "Hello." });
found.hello = text(chat.lastMessage);
found.usage = chat.lastMessage.metadata.usage.totalTokens > 0;
await chat.sendMessage({ text: "Please use a tool." });
found.tool = chat.lastMessage.parts.map((part) => part.type);
found.last = text(chat.lastMessage);
await chat.regenerate();
found.again = text(chat.lastMessage);
found.count = chat.messages.length;
const kept = (await read(first)).messages;
await validateUIMessages({ messages: kept });
found.kept = kept.map((message) => text(message));
found.same = JSON.stringify(kept.at(-1).parts.map((part) => part.type)) === JSON.stringify(chat.lastMessage.parts.map((part) => part.type));

await chat.sendMessage({ text: "Hello.", messageId: chat.messages[0].id });
found.changed = [chat.messages.length, text(chat.messages[0]), text(chat.lastMessage)];
const loaded = chatOf(first, { messages: (await read(first)).messages });
await loaded.sendMessage({ text: "Please use a tool.", messageId: loaded.messages[0].id });
found.reloaded = (await read(first)).messages.map((message) => text(message));

const tools = [{ name: "get_weather", description: "Says how the weather is.", inputSchema: { type: "object", properties: {} } }];
const weather = chatOf(
  name(),
  {
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
    onToolCall: ({ toolCall }) => void weather.addToolOutput({ tool: toolCall.toolName, toolCallId: toolCall.toolCallId, output: "Rain." }),
  },
  { tools },
);
await weather.sendMessage({ text: "How is the weather?" });
for (let wait = 0; wait < 100 && !text(weather.lastMessage); wait += 1) await new Promise((go) => setTimeout(go, 50));
while (weather.status !== "ready") await new Promise((go) => setTimeout(go, 20));
found.weather = [weather.messages.length, text(weather.lastMessage)];

const erasing = name();
const eraser = chatOf(erasing, { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
await eraser.sendMessage({ text: `Please erase node${Date.now()}` });
const reloaded = chatOf(erasing, {
  messages: (await read(erasing)).messages,
  sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
});
await reloaded.resumeStream();
const asked = reloaded.lastMessage.parts.find((part) => part.state === "approval-requested");
found.asked = asked.toolName;
await reloaded.addToolApprovalResponse({ id: asked.approval.id, approved: true });
for (let wait = 0; wait < 100 && !text(reloaded.lastMessage); wait += 1) await new Promise((go) => setTimeout(go, 50));
while (reloaded.status !== "ready") await new Promise((go) => setTimeout(go, 20));
found.erased = [reloaded.messages.length, text(reloaded.lastMessage)];
found.state = reloaded.lastMessage.parts.find((part) => part.toolName === asked.toolName).state;

const dropped = chatOf(name());
const sending = dropped.sendMessage({ text: "Answer briefly." });
for (let wait = 0; wait < 200 && dropped.messages.length < 2; wait += 1) await new Promise((go) => setTimeout(go, 10));
await dropped.stop();
await sending;
found.partial = text(dropped.lastMessage).length;
await dropped.resumeStream();
found.resumed = [dropped.messages.length, text(dropped.lastMessage)];
await dropped.resumeStream();
found.nothing = dropped.messages.length;

const failing = chatOf(name());
await failing.sendMessage({ text: "Please fail." });
found.failed = [failing.status, failing.error.message];
console.log(JSON.stringify(found));
