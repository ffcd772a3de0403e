import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import * as client from "../chatstack.js";
import { message, settle, stage, start } from "./fake.js";

const { backoff, newID } = client;

test("backoff is anything up to a ceiling that doubles and has a limit", () => {
  assert.equal(backoff(0, { random: () => 0 }), 0);
  for (const [attempt, ceiling] of [[0, 1000], [1, 2000], [4, 16_000], [5, 30_000], [1000, 30_000]]) {
    assert.equal(backoff(attempt, { random: () => 1 }), ceiling);
    const some = Array.from({ length: 500 }, () => backoff(attempt));
    assert.ok(some.every((delay) => delay >= 0 && delay < ceiling), `attempt ${attempt} is out of bounds`);
    assert.ok(Math.min(...some) < ceiling / 4 && Math.max(...some) > (3 * ceiling) / 4, `attempt ${attempt} is not spread`);
  }
});

test("the client waits as its random numbers say", async (t) => {
  const it = stage(t, { backoff: undefined, random: () => 0.25 });
  for (const delay of [250, 500, 1000]) {
    await (it.chat.state === "closed" ? it.connect() : undefined);
    it.socket().drop();
    await settle();
    assert.equal(it.chat.retryAt - it.clock.now(), delay);
    await it.clock.advance(delay);
    assert.equal(it.chat.state, "connecting");
  }
});

test("ids differ", () => {
  const ids = new Set(Array.from({ length: 1000 }, newID));
  assert.equal(ids.size, 1000);
  assert.match(newID(), /^[0-9a-f]{24}$/);
});

test("the types name all that there is, and nothing else", () => {
  const types = readFileSync(new URL("../chatstack.d.ts", import.meta.url), "utf8");
  const body = types.slice(types.indexOf("export class Chat extends")).split("\n}")[0];
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(<:]/gm)].map(([, name]) => name);
  const own = Object.getOwnPropertyNames(client.Chat.prototype);
  assert.deepEqual([...new Set(declared)].filter((name) => name !== "addEventListener").sort(), own.sort());
  const exported = [...types.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(exported.sort(), Object.keys(client).sort());
});

test("the types name every error of the protocol", () => {
  const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
  const table = read("../../docs/protocol.md").split("### Errors")[1].split("\n## ")[0];
  const codes = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10);
  assert.deepEqual(codes.filter((code) => !read("../chatstack.d.ts").includes(`| "${code}"`)), []);
});

test("open means that the server has said who this is and given the channels", async (t) => {
  const it = stage(t);
  await it.connect();
  assert.equal(it.chat.state, "connecting");
  await it.welcome();
  assert.equal(it.chat.state, "connecting");
  await it.subscribed(7);
  assert.equal(it.chat.state, "open");
  assert.equal(it.chat.connectionID, "C1");
  assert.deepEqual(it.chat.channels, ["General"]);
  it.socket().drop();
  it.chat.close();
  assert.deepEqual(it.of("state").map(({ state }) => state), ["connecting", "open", "waiting", "closed"]);
});

test("the token travels as a subprotocol, fresh for each attempt, and in no error", async (t) => {
  let turn = 0;
  const it = stage(t, { token: async () => `t${++turn}` });
  await it.connect();
  it.socket().drop();
  await it.clock.advance(1000);
  assert.deepEqual(it.sockets.map(({ protocols }) => protocols), [["chatstack.v1", "bearer.t1"], ["chatstack.v1", "bearer.t2"]]);

  const bad = stage(t, { token: "secret" }, "nonsense");
  await bad.connect();
  assert.equal(bad.chat.state, "closed");
  assert.equal(bad.of("error")[0].code, "endpoint");
  assert.doesNotMatch(JSON.stringify(bad.events), /secret/);

  const none = await start(t);
  assert.deepEqual(none.socket().protocols, ["chatstack.v1"]);
});

test("answers find their requests in any order", async (t) => {
  const { chat, socket } = await start(t);
  const first = chat.send("General", "a", "Ann");
  const second = chat.send("General", "b", "Ann");
  const [{ id: one }, { id: two }] = socket().sent;
  await socket().receive({ event: "ack", id: two, channelId: "Other", seq: 2 });
  await socket().receive({ event: "ack", id: one, channelId: "Other", seq: 1 });
  assert.equal((await first).seq, 1);
  assert.equal((await second).seq, 2);
});

test("an event with the id of a request does not answer it", async (t) => {
  const { chat, socket, of } = await start(t);
  const ack = chat.send("General", "a", "Ann", { id: "mine" });
  await socket().receive(message(1, { id: "mine" }));
  await socket().receive({ event: "ack", id: "mine", channelId: "General", seq: 1 });
  assert.equal((await ack).seq, 1);
  assert.equal(of("channel_message").length, 1);
});

test("an error answer rejects with its code", async (t) => {
  const { chat, socket } = await start(t);
  const joining = chat.join("!");
  const refused = assert.rejects(joining, { name: "ChatError", code: "invalid_channel", message: "no" });
  await socket().answer("subscribeChannel", { event: "error", code: "invalid_channel", message: "no" });
  await refused;
  assert.deepEqual(chat.channels, ["General"]);
});

test("several events in one frame are taken in their order", async (t) => {
  const { chat, socket, events } = await start(t);
  const pong = chat.ping();
  const { id } = socket().take("ping");
  events.length = 0;
  await socket().receive(message(1), { event: "subscriber_sub", channelId: "General", subscriberId: "B1" }, { event: "pong", id }, "", message(2), "");
  assert.equal((await pong).event, "pong");
  assert.deepEqual(events.map(([type, { seq }]) => [type, seq]), [["channel_message", 1], ["subscriber_sub", undefined], ["channel_message", 2]]);
});

test("a frame that is no event ends nothing, also among others", async (t) => {
  const { chat, socket, of, seqs } = await start(t);
  for (const text of ["", "null", "[]", "7", "{"]) await socket().receive(text);
  await socket().receive("{", message(1));
  socket().onmessage({ data: new ArrayBuffer(3) });
  assert.deepEqual(of("error").map(({ code }) => code), Array(6).fill("frame"));
  assert.deepEqual(seqs(), [1]);
  assert.equal(chat.state, "open");
});

test("the gateway's own frame answers the only open request, else it is an error event", async (t) => {
  const { chat, socket, of } = await start(t);
  const refused = assert.rejects(chat.request("vote"), { code: "gateway", message: "Internal server error" });
  await socket().receive({ message: "Internal server error", connectionId: "C1", requestId: "r" });
  await refused;
  await socket().receive({ message: "Forbidden", connectionId: "C1", requestId: "r" });
  assert.deepEqual(of("error").map(({ code, message }) => [code, message]), [["gateway", "Forbidden"]]);
});

test("events and fields that nobody knows yet are passed on", async (t) => {
  const { chat, socket } = await start(t);
  const polls = [];
  chat.addEventListener("poll", ({ detail }) => polls.push(detail.votes));
  await socket().receive({ event: "poll", votes: 3 });
  assert.deepEqual(polls, [3]);
});

test("a request without an answer times out, its late answer is an event", async (t) => {
  const { chat, clock, socket, of } = await start(t);
  const late = assert.rejects(chat.request("sendMessage", { channelId: "General" }, { id: "late" }), { code: "timeout" });
  await clock.advance(10_000);
  await late;
  await socket().receive({ event: "ack", id: "late", channelId: "Other", seq: 1 });
  assert.deepEqual(of("ack").map(({ id }) => id), ["late"]);
});

test("a frame that would end the connection is not sent", async (t) => {
  const { chat, socket } = await start(t);
  await assert.rejects(chat.send("General", "ä".repeat(16 * 1024), "Ann"), { code: "frame_too_large" });
  assert.deepEqual(socket().sent, []);
});

test("heartbeat: a silent connection is pinged every 5 minutes, and kept while it answers", async (t) => {
  const { chat, clock, socket } = await start(t);
  for (let round = 0; round < 3; round++) {
    await clock.advance(5 * 60_000 - 1);
    assert.deepEqual(socket().actions, []);
    await clock.advance(1);
    await socket().answer("ping", { event: "pong" });
  }
  await clock.advance(3 * 60_000);
  await socket().receive(message(1));
  await clock.advance(3 * 60_000);
  assert.deepEqual(socket().actions, [], "traffic puts the ping off");
  assert.equal(chat.state, "open");
});

test("heartbeat: a connection that does not answer is given up and replaced", async (t) => {
  const { chat, clock, sockets } = await start(t);
  await clock.advance(5 * 60_000 + 10_000);
  assert.equal(chat.state, "waiting");
  await clock.advance(1000);
  assert.equal(sockets.length, 2);
});

test("check makes sure of a connection, or does not wait for the next", async (t) => {
  const { chat, clock, socket, sockets } = await start(t);
  chat.check();
  assert.deepEqual(socket().actions, ["ping"]);
  await clock.advance(10_000);
  assert.equal(chat.state, "waiting");
  chat.check();
  await settle();
  assert.equal(chat.state, "connecting");
  await clock.advance(5000);
  assert.equal(sockets.length, 2);
});

test("a connection that is being closed for ever is given up once it is needed", async (t) => {
  for (const need of ["check", "ping", "send"]) {
    const { chat, socket } = await start(t);
    socket().readyState = 2;
    const answer = need === "send" ? chat.send("General", "a", "Ann") : chat[need]();
    answer?.catch(() => {});
    await settle();
    assert.equal(chat.state, "waiting", need);
  }
});

test("a lost connection fails its requests and comes back to its channels", async (t) => {
  const it = await start(t);
  const joining = it.chat.join("Secret");
  await it.subscribed();
  await joining;
  const leaving = it.chat.leave("General");
  await it.socket().answer("unsubscribeChannel", { event: "unsubscribed" });
  await leaving;
  const asking = assert.rejects(it.chat.whoami(), { code: "disconnected" });
  it.socket().drop();
  await asking;
  await it.clock.advance(1000);
  await it.welcome("C2", ["General"]);
  assert.deepEqual(it.socket().actions, ["unsubscribeChannel", "subscribeChannel"]);
  await it.socket().answer("unsubscribeChannel", { event: "unsubscribed" });
  await it.subscribed();
  assert.equal(it.chat.state, "open");
  // The stream tells late that this connection had been put into General.
  await it.socket().receive({ event: "subscriber_sub", channelId: "General", subscriberId: "C2" });
  assert.deepEqual(it.chat.channels, ["Secret"]);
  await it.socket().receive({ event: "subscriber_unsub", channelId: "General", subscriberId: "C2", reason: "left" });
  assert.deepEqual(it.chat.channels, ["Secret"]);
  assert.ok(it.chat.isOwn("C1") && it.chat.isOwn("C2"));
});

test("a channel that is refused on the way back is given up, the connection is not", async (t) => {
  const it = stage(t, { channels: ["General", "Secret"] });
  await it.connect();
  await it.welcome();
  await it.subscribed();
  await it.socket().answer("subscribeChannel", { event: "error", code: "banned", message: "not you" });
  assert.equal(it.chat.state, "open");
  assert.deepEqual(it.chat.channels, ["General"]);
  assert.equal(it.of("error")[0].message, "Secret: not you");
});

test("a channel that fails for once on the way back is tried again", async (t) => {
  const it = stage(t);
  await it.connect();
  await it.welcome();
  await it.socket().answer("subscribeChannel", { event: "error", code: "internal", message: "internal error" });
  await it.clock.advance(1000);
  await it.subscribed(3);
  assert.equal(it.chat.state, "open");
  assert.deepEqual(it.chat.channels, ["General"]);
});

test("whoever else writes subscriptions moves this connection", async (t) => {
  const it = await start(t);
  await it.socket().receive({ event: "subscriber_sub", channelId: "Support", subscriberId: "C1" });
  await it.socket().receive({ event: "subscriber_sub", channelId: "Other", subscriberId: "C9" });
  assert.deepEqual(it.chat.channels, ["General", "Support"]);
  await it.subscribed(4); // by which it learns where Support is
  await it.socket().receive({ event: "subscriber_unsub", channelId: "General", subscriberId: "C1" });
  assert.deepEqual(it.chat.channels, ["Support"]);
});

test("attempts are counted until a connection has lasted", async (t) => {
  const attempts = [];
  const it = stage(t, { backoff: (attempt) => attempts.push(attempt) && 1000 });
  await it.connect();
  for (let round = 0; round < 2; round++) {
    await it.welcome(`C${round}`, []);
    it.socket().drop();
    await it.clock.advance(1000);
  }
  await it.welcome("C3", []);
  await it.clock.advance(10_001);
  it.socket().drop();
  assert.deepEqual(attempts, [0, 1, 0]);
});

test("an opening that takes for ever is given up", async (t) => {
  const it = stage(t);
  await it.connect();
  await it.clock.advance(30_000);
  assert.equal(it.chat.state, "waiting");
  assert.equal(it.socket().readyState, 3);
});

test("the endpoint is asked for again before every attempt, and may fail", async (t) => {
  let turn = 0;
  const it = stage(t, {}, async () => {
    if (++turn === 2) throw new Error("offline");
    return `ws://host:${turn}/local`;
  });
  await it.connect();
  it.socket().drop();
  await it.clock.advance(1000);
  assert.equal(it.chat.state, "waiting");
  await it.clock.advance(1000);
  assert.deepEqual(it.sockets.map(({ url }) => url), ["ws://host:1/local", "ws://host:3/local"]);
});

test("close ends the connection and what would bring it back", async (t) => {
  const it = await start(t);
  const sending = assert.rejects(it.chat.send("General", "a", "Ann"), { code: "disconnected" });
  const old = it.socket();
  it.chat.close();
  await sending;
  old.onclose({ code: 1000 });
  await it.clock.advance(60 * 60_000);
  assert.equal(it.chat.state, "closed");
  assert.equal(it.sockets.length, 1);
  await assert.rejects(it.chat.ping(), { code: "disconnected" });
  await assert.rejects(it.chat.send("General", "a", "Ann"), { code: "disconnected" });
  await it.connect();
  await it.welcome("C2", []);
  assert.equal(it.chat.state, "connecting", "General is being subscribed again");
});

test("close while the endpoint is asked for leaves no socket", async (t) => {
  let give;
  const it = stage(t, {}, () => new Promise((resolve) => (give = resolve)));
  await it.connect();
  it.chat.close();
  give("ws://host/local");
  await settle();
  assert.equal(it.sockets.length, 0);
});
