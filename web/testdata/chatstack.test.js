import assert from "node:assert/strict";
import test from "node:test";

import { Chat, backoff, newID } from "../chatstack.js";

/** A socket whose server is the test. */
class FakeSocket {
  static all = [];
  readyState = 0;
  sent = [];
  constructor(url) {
    if (!url.startsWith("ws")) throw new SyntaxError(url);
    this.url = url;
    FakeSocket.all.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  drop() {
    this.readyState = 3;
    this.onclose({ code: 1006 });
  }
  receive(frame) {
    this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  /** Answers the oldest request for an action that has no answer yet. */
  answer(action, frame = {}) {
    const index = this.sent.findIndex((request) => request.action === action);
    assert.ok(index >= 0, `no ${action} among ${JSON.stringify(this.sent)}`);
    const [request] = this.sent.splice(index, 1);
    this.receive({ id: request.id, channelId: request.channelId, ...frame });
    return request;
  }
}

/** Lets every promise that can settle do so; timers are mocked and stand still. */
async function settle() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function start(t, options = {}, endpoint = "ws://host/local") {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  FakeSocket.all = [];
  const chat = new Chat(endpoint, { WebSocket: FakeSocket, backoff: () => 1000, ...options });
  const events = [];
  for (const type of ["state", "channels", "error", "ack", "channel_message", "subscriber_sub", "subscriber_unsub"]) {
    chat.addEventListener(type, ({ detail }) => events.push([type, detail]));
  }
  t.after(() => chat.close());
  chat.connect();
  await settle();
  const socket = () => FakeSocket.all.at(-1);
  const greet = async (connectionId = "C1", channels = ["General"]) => {
    socket().open();
    socket().answer("whoami", { event: "you", connectionId, channels });
    await settle();
  };
  return { chat, events, socket, greet, of: (type) => events.filter(([name]) => name === type).map(([, detail]) => detail) };
}

test("backoff doubles, has a limit, and keeps to the upper half", () => {
  assert.equal(backoff(0, { random: () => 0 }), 250);
  assert.equal(backoff(0, { random: () => 1 }), 500);
  assert.equal(backoff(3, { random: () => 1 }), 4000);
  assert.equal(backoff(1000, { random: () => 1 }), 30_000);
});

test("ids differ", () => {
  const ids = new Set(Array.from({ length: 1000 }, newID));
  assert.equal(ids.size, 1000);
  assert.match(newID(), /^[0-9a-f]{24}$/);
});

test("connected means that the server has said who this is", async (t) => {
  const { chat, socket, greet } = await start(t);
  assert.equal(chat.state, "connecting");
  socket().open();
  assert.equal(chat.state, "connecting");
  await greet();
  assert.equal(chat.state, "connected");
  assert.equal(chat.connectionID, "C1");
  assert.deepEqual(chat.channels, ["General"]);
});

test("answers find their requests in any order", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  const first = chat.send("General", "a", "Ann");
  const second = chat.send("General", "b", "Ann");
  const [{ id: one }, { id: two }] = socket().sent;
  socket().receive({ event: "ack", id: two, seq: 2 });
  socket().receive({ event: "ack", id: one, seq: 1 });
  assert.equal((await first).seq, 1);
  assert.equal((await second).seq, 2);
});

test("an event with the id of a request does not answer it", async (t) => {
  const { chat, socket, greet, of } = await start(t);
  await greet();
  const ack = chat.send("General", "a", "Ann", { id: "mine" });
  socket().receive({ event: "channel_message", id: "mine", content: "a" });
  socket().receive({ event: "ack", id: "mine", seq: 7 });
  assert.equal((await ack).seq, 7);
  assert.equal(of("channel_message").length, 1);
});

test("an error answer rejects with its code", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  const joining = chat.join("!");
  socket().answer("subscribeChannel", { event: "error", code: "invalid_channel", message: "no" });
  await assert.rejects(joining, { code: "invalid_channel", message: "no" });
  assert.deepEqual(chat.channels, ["General"]);
});

test("the gateway's own frame answers the only open request, else it is an error event", async (t) => {
  const { chat, socket, greet, of } = await start(t);
  await greet();
  const one = chat.send("General", "a", "Ann");
  socket().receive({ message: "Internal server error", connectionId: "C1", requestId: "r" });
  await assert.rejects(one, { code: "gateway", message: "Internal server error" });
  socket().receive({ message: "Forbidden", connectionId: "C1", requestId: "r" });
  assert.deepEqual(of("error").map(({ code, message }) => [code, message]), [["gateway", "Forbidden"]]);
});

test("a frame that is no JSON object is an error event and ends nothing", async (t) => {
  const { chat, socket, greet, of } = await start(t);
  await greet();
  for (const text of ["", "null", "[]", "7", "{"]) socket().receive(text);
  assert.deepEqual(of("error").map(({ code }) => code), Array(5).fill("frame"));
  assert.equal(chat.state, "connected");
});

test("a request without an answer times out, its late answer is an event", async (t) => {
  const { chat, socket, greet, of } = await start(t);
  await greet();
  const sending = chat.send("General", "a", "Ann", { id: "late" });
  t.mock.timers.tick(10_000);
  await assert.rejects(sending, { code: "timeout" });
  socket().receive({ event: "ack", id: "late", seq: 1 });
  assert.deepEqual(of("ack").map(({ id }) => id), ["late"]);
});

test("a frame that would end the connection is not sent", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  await assert.rejects(chat.send("General", "ä".repeat(16 * 1024), "Ann"), { code: "frame_too_large" });
  assert.deepEqual(socket().sent, []);
});

test("a silent connection is given up and replaced", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  t.mock.timers.tick(4 * 60_000);
  assert.deepEqual(socket().sent.map(({ action }) => action), ["ping"]);
  t.mock.timers.tick(10_000);
  await settle();
  assert.equal(chat.state, "waiting");
  t.mock.timers.tick(1000);
  await settle();
  assert.equal(FakeSocket.all.length, 2);
});

test("a request without an answer makes sure of the connection", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  const sending = chat.send("General", "a", "Ann");
  t.mock.timers.tick(10_000);
  await assert.rejects(sending);
  assert.deepEqual(socket().sent.map(({ action }) => action), ["sendMessage", "ping"]);
  t.mock.timers.tick(10_000);
  await settle();
  assert.equal(chat.state, "waiting");
});

test("connect does not wait for the next attempt, and takes its place", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  socket().drop();
  chat.connect();
  await settle();
  assert.equal(chat.state, "connecting");
  t.mock.timers.tick(5000);
  await settle();
  assert.equal(FakeSocket.all.length, 2);
});

test("traffic puts the ping off, and a pong keeps the connection", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  t.mock.timers.tick(3 * 60_000);
  socket().receive({ event: "channel_message" });
  t.mock.timers.tick(3 * 60_000);
  assert.deepEqual(socket().sent, []);
  t.mock.timers.tick(60_000);
  socket().answer("ping", { event: "pong" });
  t.mock.timers.tick(10_000);
  await settle();
  assert.equal(chat.state, "connected");
});

test("a lost connection fails its requests and comes back to its channels", async (t) => {
  const { chat, socket, greet, of } = await start(t);
  await greet();
  const joining = chat.join("Secret");
  socket().answer("subscribeChannel", { event: "subscribed" });
  await joining;
  const leaving = chat.leave("General");
  socket().answer("unsubscribeChannel", { event: "unsubscribed" });
  await leaving;
  const sending = chat.send("Secret", "a", "Ann");
  socket().drop();
  await assert.rejects(sending, { code: "disconnected" });
  assert.equal(chat.state, "waiting");
  assert.equal(of("state").at(-1).retryAt, Date.now() + 1000);

  t.mock.timers.tick(1000);
  await settle();
  await greet("C2", ["General"]);
  assert.equal(chat.state, "connecting");
  socket().answer("unsubscribeChannel", { event: "unsubscribed" });
  socket().answer("subscribeChannel", { event: "subscribed" });
  await settle();
  assert.equal(chat.state, "connected");
  assert.deepEqual(chat.channels, ["Secret"]);
  assert.ok(chat.isOwn("C1") && chat.isOwn("C2"));
});

test("a channel that is refused on the way back is given up, the connection is not", async (t) => {
  const { chat, socket, greet, of } = await start(t, { channels: ["General", "Secret"] });
  await greet();
  socket().answer("subscribeChannel", { event: "error", code: "banned", message: "not you" });
  await settle();
  assert.equal(chat.state, "connected");
  assert.deepEqual(chat.channels, ["General"]);
  assert.equal(of("error")[0].message, "Secret: not you");
});

test("whoever else writes subscriptions moves this connection", async (t) => {
  const { chat, socket, greet } = await start(t);
  await greet();
  socket().receive({ event: "subscriber_sub", channelId: "Support", subscriberId: "C1" });
  socket().receive({ event: "subscriber_sub", channelId: "Other", subscriberId: "C9" });
  assert.deepEqual(chat.channels, ["General", "Support"]);
  socket().receive({ event: "subscriber_unsub", channelId: "General", subscriberId: "C1" });
  assert.deepEqual(chat.channels, ["Support"]);
});

test("attempts are counted until a connection has lasted", async (t) => {
  const attempts = [];
  const { socket, greet } = await start(t, { backoff: (attempt) => attempts.push(attempt) && 1000 });
  for (let round = 0; round < 2; round++) {
    await greet();
    socket().drop();
    t.mock.timers.tick(1000);
    await settle();
  }
  await greet();
  t.mock.timers.tick(10_001);
  socket().drop();
  assert.deepEqual(attempts, [0, 1, 0]);
});

test("an opening that takes for ever is given up", async (t) => {
  const { chat, socket } = await start(t);
  const stuck = socket();
  t.mock.timers.tick(30_000);
  assert.equal(chat.state, "waiting");
  assert.equal(stuck.readyState, 3);
});

test("the endpoint is asked for again before every attempt", async (t) => {
  let port = 0;
  const { socket, greet } = await start(t, {}, async () => `ws://host:${++port}/local`);
  await greet();
  socket().drop();
  t.mock.timers.tick(1000);
  await settle();
  assert.deepEqual(FakeSocket.all.map(({ url }) => url), ["ws://host:1/local", "ws://host:2/local"]);
});

test("an endpoint that is none is not tried twice", async (t) => {
  const { chat, of } = await start(t, {}, "nonsense");
  assert.equal(chat.state, "offline");
  assert.equal(of("error")[0].code, "endpoint");
});

test("close ends the connection and what would bring it back", async (t) => {
  const { chat, greet, socket } = await start(t);
  await greet();
  const old = socket();
  chat.close();
  old.onclose({ code: 1000 });
  t.mock.timers.tick(60 * 60_000);
  assert.equal(chat.state, "offline");
  assert.equal(FakeSocket.all.length, 1);
  await assert.rejects(chat.ping(), { code: "disconnected" });
  chat.connect();
  await settle();
  await greet("C2");
  assert.equal(chat.state, "connected");
});
