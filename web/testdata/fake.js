// fake.js holds what a client's test is made of: a clock that moves when told,
// and a socket whose server is the test.

import assert from "node:assert/strict";

import { Chat } from "../chatstack.js";

/** Lets every promise that can settle do so; time stands still. */
export async function settle() {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

export class FakeClock {
  time = Date.UTC(2026, 0, 1);
  #timers = new Map();
  #next = 1;
  now() {
    return this.time;
  }
  setTimeout(callback, delay) {
    assert.ok(Number.isFinite(delay) && delay >= 0, `a delay of ${delay}`);
    this.#timers.set(this.#next, { at: this.time + delay, callback });
    return this.#next++;
  }
  clearTimeout(timer) {
    this.#timers.delete(timer);
  }
  get size() {
    return this.#timers.size;
  }
  /** Moves on, each timer at its time and everything settled after it. */
  async advance(duration) {
    const end = this.time + duration;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].callback();
    }
    this.time = end;
  }
}

class FakeSocket {
  readyState = 0;
  sent = [];
  constructor(url, protocols) {
    if (!url.startsWith("ws")) throw new SyntaxError(`${url} ${protocols}`);
    this.url = url;
    this.protocols = protocols;
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  send(text) {
    assert.equal(this.readyState, 1, "sent on a socket that is not open");
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  drop() {
    this.readyState = 3;
    this.onclose({ code: 1006 });
  }
  async receive(...frames) {
    this.onmessage({ data: frames.map((frame) => (typeof frame === "string" ? frame : JSON.stringify(frame))).join("\n") });
    await settle();
  }
  /** Answers the oldest request for an action that has no answer yet. */
  async answer(action, frame = {}) {
    const request = this.take(action);
    await this.receive({ id: request.id, channelId: request.channelId, ...frame });
    return request;
  }
  take(action) {
    const index = this.sent.findIndex((request) => request.action === action);
    assert.ok(index >= 0, `no ${action} among ${JSON.stringify(this.sent)}`);
    return this.sent.splice(index, 1)[0];
  }
  get actions() {
    return this.sent.map(({ action }) => action);
  }
}

const told = [
  "state", "connection", "channels", "error", "ack", "resumed", "gap", "reset",
  "channel_message", "direct_message", "message_edited", "message_deleted", "subscriber_sub", "subscriber_unsub",
  "kicked", "banned", "muted", "token_expired",
];

/** Makes a client and a stage for it; it is not connected yet. */
export function stage(t, options = {}, endpoint = "ws://host/local") {
  const sockets = [];
  const clock = new FakeClock();
  const WebSocket = class extends FakeSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
    }
  };
  const chat = new Chat(endpoint, { WebSocket, clock, random: () => 0.5, backoff: () => 1000, ...options });
  const events = [];
  for (const type of told) chat.addEventListener(type, ({ detail }) => events.push([type, detail]));
  t.after(() => {
    chat.close();
    assert.equal(clock.size, 0, "a closed client leaves timers behind");
  });
  const socket = () => sockets.at(-1);
  /** The server takes the newest connection in. */
  const welcome = async (connectionId = "C1", channels = ["General"], you = {}) => {
    socket().open();
    await settle();
    await socket().answer("whoami", { event: "you", connectionId, channels, ...you });
  };
  const subscribed = (seq = 0, missed = [], rest = {}) =>
    socket().answer("subscribeChannel", { event: "subscribed", seq, missed, more: false, ...rest });
  return {
    chat, clock, sockets, socket, welcome, subscribed, events,
    of: (type) => events.filter(([name]) => name === type).map(([, detail]) => detail),
    /** What the channel was seen to say, in order: numbers, gaps as "3-4". */
    seqs: () => events.flatMap(([type, detail]) => (type === "gap" ? [`${detail.from}-${detail.to}`] : detail.messageId && type !== "ack" ? [detail.seq] : [])),
    connect: async () => {
      chat.connect();
      await settle();
    },
  };
}

/** Makes a client that is open and in General, whose last number is seq; you is what whoami says. */
export async function start(t, { seq = 0, you, ...options } = {}) {
  const it = stage(t, options);
  await it.connect();
  await it.welcome("C1", ["General"], you);
  await it.subscribed(seq);
  assert.equal(it.chat.state, "open");
  return it;
}

/** A message of another, unless rest says otherwise. */
export function message(seq, rest = {}) {
  return { event: "channel_message", channelId: "General", name: "Bob", content: `m${seq}`, messageId: `id${seq}`, seq, at: "2026-01-01T00:00:00.000Z", senderId: "B1", ...rest };
}
