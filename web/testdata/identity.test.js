// What a client knows and does where users have an identity: tokens that expire,
// sends that are safe on every connection, direct conversations, moderators.

import assert from "node:assert/strict";
import test from "node:test";

import { message, settle, stage, start } from "./fake.js";

const ann = { user: "ann", name: "Ann", moderates: ["General", "team-*"] };
const history = (messages, more = false) => ({ event: "history", messages, more });
const ack = (seq) => ({ event: "ack", messageId: `id${seq}`, seq, at: "" });

/** A direct message of Bob's to Ann, unless rest says otherwise. */
const direct = (seq, rest = {}) =>
  message(seq, { event: "direct_message", channelId: "direct:x", user: "bob", to: "ann", ...rest });

const at = (it, ms) => new Date(it.clock.now() + ms).toISOString();

/** Lets time pass, while the server answers what keeps a connection up. */
async function pass(it, duration) {
  for (const end = it.clock.now() + duration; it.clock.now() < end; ) {
    await it.clock.advance(Math.min(60_000, end - it.clock.now()));
    for (const socket of it.sockets) if (socket.actions.includes("ping")) await socket.answer("ping", { event: "pong" });
  }
}

test("who this is, and what that moderates", async (t) => {
  const { chat } = await start(t, { you: ann });
  assert.deepEqual([chat.user, chat.name, chat.expiresAt], ["ann", "Ann", 0]);
  for (const channel of ["General", "team-", "team-7"]) assert.ok(chat.isModerator(channel), channel);
  for (const channel of ["", undefined, "Generals", "xteam-1", "team+1"]) assert.ok(!chat.isModerator(channel), channel);
  assert.ok(chat.isOwn("C1") && chat.isOwn("other", "ann") && !chat.isOwn("other", "bob") && !chat.isOwn("other", ""));

  const { chat: anybody } = await start(t, { you: { ...ann, moderates: ["*"] } });
  assert.ok(anybody.isModerator() && anybody.isModerator("any"));
  const { chat: nobody } = await start(t);
  assert.ok(!nobody.isModerator("General") && !nobody.isOwn("other", ""));
});

test("a user's send that lost its answer goes out at once on the next connection, with its id", async (t) => {
  const it = await start(t, { you: ann });
  const sending = it.chat.send("General", "a", undefined, { id: "one" });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2", ["General"], ann);
  await it.subscribed(1, [message(1, { senderId: "C1", user: "ann", content: "a" })]);
  const again = await it.socket().answer("sendMessage", ack(1));
  assert.deepEqual(again, { action: "sendMessage", id: "one", channelId: "General", content: "a" });
  assert.equal((await sending).seq, 1);
  assert.deepEqual(it.socket().actions, []);
});

test("what one user sent is not sent as another's", async (t) => {
  const it = await start(t, { you: ann });
  const refused = assert.rejects(it.chat.send("General", "a"), { code: "disconnected" });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2", ["General"], { user: "bob", name: "Bob" });
  await it.subscribed(0);
  await refused;
  assert.deepEqual(it.socket().actions, []);
});

test("a send that is too fast is repeated when the server says so, in slow mode it is not", async (t) => {
  const it = await start(t, { you: ann });
  const sending = it.chat.send("General", "a");
  await it.socket().answer("sendMessage", { event: "error", code: "rate_limited", message: "wait", retryAfterMs: 4321 });
  await it.clock.advance(4320);
  assert.deepEqual(it.socket().actions, []);
  await it.clock.advance(1);
  await it.socket().answer("sendMessage", ack(1));
  await sending;
  await it.socket().receive(message(1, { senderId: "C1" }));

  const refused = assert.rejects(it.chat.send("General", "b"), { code: "slow_mode", retryAfter: 9000 });
  await it.socket().answer("sendMessage", { event: "error", code: "slow_mode", message: "wait", retryAfterMs: 9000 });
  await refused;
  await it.clock.advance(60_000);
  assert.deepEqual(it.socket().actions, []);
});

test("a connection is replaced before its token expires, with a fresh one", async (t) => {
  let turn = 0;
  const it = stage(t, { token: () => `t${++turn}` });
  await it.connect();
  const expiry = it.clock.now() + 30 * 60_000;
  await it.welcome("C1", ["General"], { ...ann, expiresAt: new Date(expiry).toISOString() });
  await it.subscribed();
  assert.equal(it.chat.expiresAt, expiry);
  await pass(it, 29 * 60_000 - 1);
  assert.equal(it.sockets.length, 1);
  await it.clock.advance(1);
  assert.deepEqual(it.socket().protocols, ["chatstack.v1", "bearer.t2"]);
  await it.welcome("C2", ["General"], { ...ann, expiresAt: new Date(expiry).toISOString() });
  await it.subscribed();
  assert.equal(it.sockets[0].readyState, 3);
  // The token was no fresher: nothing is gained by asking again and again.
  await pass(it, 5 * 60_000);
  assert.equal(it.sockets.length, 2);
  assert.deepEqual(it.of("state").map(({ state }) => state), ["connecting", "open"]);
});

test("an expired token: one that can be had again is, else the client is closed", async (t) => {
  const it = await start(t, { token: () => "t", you: ann });
  await it.socket().receive({ event: "token_expired", at: at(it, 0) });
  assert.deepEqual([it.chat.state, it.chat.reason], ["waiting", "token_expired"]);
  assert.equal(it.of("token_expired").length, 1);
  await it.clock.advance(1000);
  await it.welcome("C2", ["General"], ann);
  await it.subscribed();
  assert.deepEqual([it.chat.state, it.chat.reason], ["open", ""]);

  const sending = it.chat.send("General", "a", undefined, { id: "one" });
  await it.socket().answer("sendMessage", { event: "error", code: "token_expired", message: "expired" }); // before it is told
  assert.deepEqual([it.chat.state, it.chat.reason], ["waiting", "token_expired"]);
  await it.clock.advance(1000);
  await it.welcome("C3", ["General"], ann);
  await it.subscribed();
  await it.socket().answer("sendMessage", ack(1));
  assert.equal((await sending).id, "one");
  await it.socket().receive(message(1, { senderId: "C3" }));

  const fixed = await start(t, { token: "t", you: { ...ann, expiresAt: at(it, 60_000) } });
  const lost = assert.rejects(fixed.chat.send("General", "a"), { code: "token_expired" });
  await fixed.socket().receive({ event: "token_expired", at: "" });
  await lost;
  assert.deepEqual([fixed.chat.state, fixed.chat.reason], ["closed", "token_expired"]);
  await fixed.clock.advance(60 * 60_000);
  assert.equal(fixed.sockets.length, 1);
});

test("a connection that is not let in is tried more and more seldom, and said to be refused", async (t) => {
  const it = stage(t, { token: () => "t", backoff: (attempt) => 1000 * 2 ** attempt });
  await it.connect();
  const reasons = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    it.socket().drop();
    await settle();
    reasons.push(it.chat.reason);
    await it.clock.advance(1000 * 2 ** attempt);
  }
  assert.deepEqual(reasons, ["", "", "refused", "refused"]);
  await it.welcome("C1", [], ann);
  assert.equal(it.chat.reason, "");
  it.socket().drop();
  await settle();
  assert.equal(it.chat.reason, "");
});

test("who is kicked comes back after a pause, without the channel if it was one", async (t) => {
  const it = await start(t, { you: ann });
  await it.socket().receive({ event: "kicked", channelId: "General", reason: "no" });
  assert.deepEqual(it.chat.channels, []);
  const joining = it.chat.join("Other");
  await it.subscribed();
  await joining;
  await it.socket().receive({ event: "kicked", at: "" }, { event: "subscriber_unsub", channelId: "Other", subscriberId: "C1", reason: "kicked" });
  assert.equal(it.chat.state, "open", "the server ends the connection");
  it.socket().drop();
  await settle();
  assert.deepEqual([it.chat.state, it.chat.reason], ["waiting", "kicked"]);
  await it.clock.advance(999);
  assert.equal(it.sockets.length, 1);
  await it.clock.advance(1);
  await it.welcome("C2", [], ann);
  await it.subscribed();
  assert.deepEqual([it.chat.state, it.chat.reason], ["open", ""]);
  assert.deepEqual(it.chat.channels, ["Other"]);
});

test("who is banned everywhere does not come back", async (t) => {
  const it = await start(t, { you: ann });
  const refused = assert.rejects(it.chat.sendDirect("bob", "a"), { code: "banned" });
  await it.socket().receive({ event: "banned", at: "", until: at(it, 60_000) }, message(1));
  assert.deepEqual(it.seqs(), [1], "what is on its way is told yet");
  it.socket().drop();
  await refused;
  assert.deepEqual([it.chat.state, it.chat.reason], ["closed", "banned"]);
  assert.deepEqual(it.chat.channels, ["General"]);
  await it.clock.advance(60 * 60_000);
  assert.equal(it.sockets.length, 1);
});

test("who is banned while a connection begins does not come back either", async (t) => {
  const it = await start(t, { you: ann });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2", ["General"], ann);
  await it.socket().receive({ event: "banned", at: "" });
  await it.subscribed();
  assert.equal(it.chat.state, "open");
  it.socket().drop();
  await settle();
  assert.deepEqual([it.chat.state, it.chat.reason], ["closed", "banned"]);
});

test("a direct conversation has its order, its gaps are filled, and nothing is told twice", async (t) => {
  const it = await start(t, { you: ann });
  const sending = it.chat.sendDirect("bob", "hello", { id: "one" });
  const sent = await it.socket().answer("sendDirect", { ...ack(4), channelId: "direct:x" });
  assert.deepEqual(sent, { action: "sendDirect", id: "one", user: "bob", content: "hello" });
  await sending;
  await it.socket().receive(direct(4, { user: "ann", to: "bob", senderId: "C1" }), direct(7), direct(4), direct(5));
  assert.deepEqual(it.seqs(), [4, 5]);
  await it.clock.advance(300);
  const asked = await it.socket().answer("getHistory", { ...history([direct(6, { event: "channel_message", to: undefined })]), channelId: "direct:x" });
  assert.deepEqual([asked.user, asked.channelId, asked.after], ["bob", undefined, 5]);
  const change = { event: "message_edited", channelId: "direct:x", seq: 8, targetSeq: 7, messageId: "id7", user: "bob" };
  await it.socket().receive(change, change);
  assert.deepEqual(it.seqs(), [4, 5, 6, 7, 8]);
  assert.ok(it.of("direct_message").every(({ peer }) => peer === "bob"));
  assert.equal(it.of("direct_message").length, 4);
  assert.equal(it.of("message_edited")[0].peer, "bob");
});

test("after a reconnect, direct conversations are told from where they were, new ones too", async (t) => {
  const it = await start(t, { you: ann });
  const listing = it.chat.listDirects();
  await it.socket().answer("listDirects", { event: "directs", directs: [{ user: "bob", channelId: "direct:x", seq: 2 }, { user: "cid", channelId: "direct:y", seq: 9 }], cursor: "" });
  await listing;
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2", ["General"], ann);
  await it.subscribed();
  await it.socket().answer("listDirects", {
    event: "directs",
    directs: [{ user: "bob", channelId: "direct:x", seq: 4 }, { user: "cid", channelId: "direct:y", seq: 9 }, { user: "dee", channelId: "direct:z", seq: 1 }],
    cursor: "",
  });
  const first = await it.socket().answer("getHistory", history([direct(3), direct(4)]));
  const second = await it.socket().answer("getHistory", history([direct(1, { user: "dee", channelId: "direct:z", messageId: "z1" })]));
  assert.deepEqual([first.user, first.after, second.user, second.after], ["bob", 2, "dee", 0]);
  assert.deepEqual(it.of("direct_message").map(({ peer, seq }) => peer + seq), ["bob3", "bob4", "dee1"]);
  assert.deepEqual(it.of("resumed").map(({ peer, missed }) => [peer, missed]), [[undefined, 0], ["bob", 2], ["dee", 1]]);
  assert.deepEqual(it.socket().actions, []);
});

test("a direct conversation that was read goes on from what was read", async (t) => {
  const it = await start(t, { you: ann });
  const reading = it.chat.history({ user: "bob" }, { limit: 2 });
  const asked = await it.socket().answer("getHistory", { ...history([direct(6), direct(5)], true), channelId: "direct:x" });
  assert.deepEqual([asked.user, asked.limit], ["bob", 2]);
  await reading;
  await it.socket().receive(direct(8));
  assert.deepEqual(it.seqs(), [], "7 is missing");
  await it.socket().receive(direct(7));
  assert.deepEqual(it.seqs(), [7, 8]);
  const editing = it.chat.edit({ user: "bob" }, 7, "b");
  assert.equal((await it.socket().answer("editMessage", ack(9))).user, "bob");
  await editing;
});

test("moderators' frames", async (t) => {
  const { chat, socket } = await start(t, { you: ann });
  const cases = [
    [chat.kick("bob", { channelID: "General", reason: "no" }), "kickUser", { user: "bob", channelId: "General", reason: "no" }],
    [chat.ban("bob", { seconds: 600 }), "banUser", { user: "bob", seconds: 600 }],
    [chat.unban("bob"), "unbanUser", { user: "bob" }],
    [chat.mute("bob", { channelID: "General" }), "muteUser", { user: "bob", channelId: "General" }],
    [chat.unmute("bob", { channelID: "General" }), "unmuteUser", { user: "bob", channelId: "General" }],
    [chat.slowMode("General", 30), "setSlowMode", { channelId: "General", seconds: 30 }],
  ];
  for (const [done, action, fields] of cases) {
    const { id, ...frame } = await socket().answer(action, { event: "ack", at: "" });
    assert.deepEqual(frame, { action, ...fields });
    assert.equal((await done).id, id);
  }
});

test("everyone in a channel, page after page", async (t) => {
  const { chat, socket } = await start(t);
  const everyone = (async () => {
    const users = [];
    for await (const { user } of chat.everyMember("General")) users.push(user);
    return users;
  })();
  await settle();
  const first = await socket().answer("listMembers", { event: "members", members: [{ user: "ann" }, { user: "bob" }], count: 3, cursor: "x" });
  const second = await socket().answer("listMembers", { event: "members", members: [{ user: "cid" }], count: 3, cursor: "" });
  assert.deepEqual([first.cursor, second.cursor], [undefined, "x"]);
  assert.deepEqual(await everyone, ["ann", "bob", "cid"]);
});
