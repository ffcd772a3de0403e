// A client of web/chatstack.js for TestClientsResume: it sends one message after
// the other from when something comes in at its standard input until that ends, and
// prints what happens, a JSON object a line. Arguments: the endpoint, the channel
// and its name.

import { Chat } from "../web/chatstack.js";

const [endpoint, channel, name] = process.argv.slice(2);
const print = (what) => console.log(JSON.stringify(what));
const chat = new Chat(endpoint, { channels: [channel], backoff: (attempt) => Math.random() * Math.min(2_000, 500 * 2 ** attempt) });
let sending = true;
process.stdin.on("end", () => (sending = false));

chat.addEventListener("channel_message", ({ detail: { content, seq, late = false } }) => print({ what: "seen", content, seq, late }));
chat.addEventListener("connection", () => print({ what: "online" }));
chat.addEventListener("gap", () => print({ what: "gap" }));
chat.connect();
await new Promise((resolve) => process.stdin.once("data", resolve));
for (let n = 0; sending; n++) {
  const content = `${name}.${n}`;
  print({ what: "sent" });
  try {
    const { seq } = await chat.send(channel, content, name);
    print({ what: "acked", content, seq });
  } catch (error) {
    print({ what: "failed", content: `${content}: ${error.code}: ${error.message}` });
  }
}
print({ what: "done" });
