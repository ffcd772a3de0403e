// What a client makes good: frames that come twice, out of order, or not at all,
// and connections that end in the middle of it.

import assert from "node:assert/strict";
import test from "node:test";

import { Order } from "../order.js";
import { message, settle, stage, start } from "./fake.js";

const history = (messages, more = false) => ({ event: "history", messages, more });

test("order: whatever the arrival, each is told once and in turn", () => {
  let state = 1;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  for (let round = 0; round < 500; round++) {
    const order = new Order();
    const told = [];
    const seqs = Array.from({ length: 30 }, (_, index) => index + 1 + 5);
    const arriving = [...seqs, ...seqs.slice(0, 10)];
    for (let at = arriving.length - 1; at > 0; at--) {
      const other = random(at + 1);
      [arriving[at], arriving[other]] = [arriving[other], arriving[at]];
    }
    const begin = random(arriving.length);
    for (const [at, seq] of arriving.entries()) {
      if (at === begin) told.push(...order.start(5));
      told.push(...order.take(message(seq)));
    }
    assert.deepEqual(told.map(({ seq }) => seq), seqs, `round ${round}`);
    assert.equal(order.missing, null);
  }
});

test("order: one message under two numbers is told once, and leaves no gap", () => {
  const order = new Order();
  order.start(0);
  assert.equal(order.take(message(1, { messageId: "x" })).length, 1);
  assert.equal(order.take(message(2, { messageId: "x" })).length, 0);
  assert.equal(order.missing, null);
});

test("resume: without loss or double", async (t) => {
  const it = await start(t, { seq: 5 });
  await it.socket().receive(message(6));
  it.socket().drop();
  await it.clock.advance(1000);
  it.socket().open();
  await settle();
  // Live ones overtake the answer, and one of them is also in it.
  await it.socket().receive(message(11), message(10));
  await it.socket().answer("whoami", { event: "you", connectionId: "C2", channels: ["General"] });
  assert.equal(it.socket().sent[0].after, 6);
  await it.subscribed(10, [message(7), message(8)], { more: true });
  const asked = await it.socket().answer("getHistory", history([message(9), message(10)]));
  assert.equal(asked.after, 8);
  await it.socket().receive(message(9), message(12));
  assert.deepEqual(it.seqs(), [6, 7, 8, 9, 10, 11, 12]);
  assert.deepEqual(it.of("resumed"), [{ channelId: "General", after: 6, seq: 10, missed: 4 }]);
});

test("resume: cut off in the middle, it goes on from there", async (t) => {
  const it = await start(t, { seq: 0 });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.subscribed(4, [message(1), message(2)], { more: true });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C3");
  assert.equal(it.socket().sent[0].after, 2);
  await it.subscribed(4, [message(3), message(4)]);
  assert.deepEqual(it.seqs(), [1, 2, 3, 4]);
});

test("resume: what is too long ago is a visible gap", async (t) => {
  const it = await start(t, { seq: 2 });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.subscribed(2002, [message(1003)], { from: 1003, more: true });
  await it.socket().answer("getHistory", history([message(1004)]));
  assert.deepEqual(it.seqs(), ["3-1002", 1003, 1004]);
});

test("resume: a channel that has begun anew is told, and told from its beginning", async (t) => {
  const it = await start(t, { seq: 50 });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.socket().receive(message(3)); // taken for an old one, for now
  it.events.length = 0;
  await it.subscribed(2, [message(1), message(2)], { from: 1 });
  await it.socket().answer("getHistory", history([message(3)]));
  await it.socket().receive(message(4));
  assert.deepEqual(it.of("reset"), [{ channelId: "General" }]);
  assert.deepEqual(it.seqs(), [1, 2, 3, 4]);
});

test("duplicates are dropped, edits too", async (t) => {
  const it = await start(t, { seq: 0 });
  const edit = { event: "message_edited", channelId: "General", seq: 2, targetSeq: 1, messageId: "id1", content: "x" };
  await it.socket().receive(message(1), message(1), edit, edit, message(3), message(1), message(3));
  assert.deepEqual(it.seqs(), [1, 2, 3]);
  assert.equal(it.of("message_edited").length, 1);
});

test("a message that was being stored during the first subscription is told", async (t) => {
  const it = await start(t, { seq: 9 });
  await it.socket().receive(message(9), message(10), message(9));
  assert.deepEqual(it.seqs(), [9, 10]);
  assert.equal(it.of("channel_message")[0].late, true);
});

test("a message that was too long for the history takes its place", async (t) => {
  const it = await start(t);
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  const truncated = { event: "channel_message", channelId: "", name: "", content: "", messageId: "", at: "", truncated: true };
  await it.subscribed(2, [{ ...truncated, seq: 1 }, { ...truncated, seq: 2 }]);
  assert.deepEqual(it.of("channel_message").map(({ channelId, seq }) => [channelId, seq]), [["General", 1], ["General", 2]]);
});

test("what comes out of order is told in order, without asking", async (t) => {
  const it = await start(t);
  await it.socket().receive(message(2));
  await it.clock.advance(200);
  assert.deepEqual(it.seqs(), []);
  await it.socket().receive(message(1));
  await it.clock.advance(60_000);
  assert.deepEqual(it.seqs(), [1, 2]);
  assert.deepEqual(it.socket().actions, []);
});

test("a gap is filled from the history", async (t) => {
  const it = await start(t);
  await it.socket().receive(message(1), message(4));
  await it.clock.advance(300);
  const { after } = await it.socket().answer("getHistory", history([message(2)]));
  assert.equal(after, 1);
  assert.deepEqual(it.seqs(), [1, 2]);
  await it.clock.advance(1000); // one was just being stored
  await it.socket().answer("getHistory", history([message(3), message(4)]));
  assert.deepEqual(it.seqs(), [1, 2, 3, 4]);
  await it.clock.advance(60_000);
  assert.deepEqual(it.of("gap"), []);
});

test("a gap that stays is given up after a while, visibly; what comes after all is late", async (t) => {
  const it = await start(t);
  await it.socket().receive(message(3));
  for (const pause of [300, 1000, 3000]) {
    assert.deepEqual(it.seqs(), []);
    await it.clock.advance(pause);
    await it.socket().answer("getHistory", history([message(3)]));
  }
  assert.deepEqual(it.seqs(), ["1-2", 3]);
  await it.socket().receive(message(4), message(2), message(2));
  assert.deepEqual(it.seqs(), ["1-2", 3, 4, 2]);
  assert.equal(it.of("channel_message").at(-1).late, true);
});

test("a history that cannot be had does not hold the channel up for ever", async (t) => {
  const it = await start(t);
  await it.socket().receive(message(2));
  for (let turn = 0; turn < 6; turn++) {
    await it.clock.advance(3000);
    await it.socket().answer("getHistory", { event: "error", code: "internal", message: "internal error" });
  }
  assert.deepEqual(it.seqs(), ["1-1", 2]);
});

test("an ack shows that a message is missing", async (t) => {
  const it = await start(t);
  const sending = it.chat.send("General", "mine", "Ann");
  await it.socket().answer("sendMessage", { event: "ack", messageId: "id1", seq: 1, at: "" });
  await sending;
  await it.clock.advance(300);
  await it.socket().answer("getHistory", history([message(1, { senderId: "C1" })]));
  assert.deepEqual(it.seqs(), [1]);
});

test("a send is repeated with its id until it is acknowledged", async (t) => {
  const it = await start(t);
  const sending = it.chat.send("General", "a", "Ann", { id: "one" });
  const first = it.socket().take("sendMessage");
  await it.clock.advance(10_000); // the ack is lost, the connection lives
  await it.socket().answer("ping", { event: "pong" });
  await it.clock.advance(1000);
  assert.deepEqual(await it.socket().answer("sendMessage", { event: "error", code: "internal", message: "internal error" }), first);
  await it.clock.advance(1000);
  await it.socket().answer("sendMessage", { event: "ack", messageId: "id1", seq: 1, at: "" });
  assert.equal((await sending).seq, 1);
  await it.socket().receive(message(1, { senderId: "C1" }));
  await it.clock.advance(60_000);
  assert.deepEqual(it.socket().actions, []);
});

test("a send that is under way is not begun again", async (t) => {
  const it = await start(t);
  const one = it.chat.send("General", "a", "Ann", { id: "one" });
  const two = it.chat.send("General", "a", "Ann", { id: "one" });
  assert.deepEqual(it.socket().actions, ["sendMessage"]);
  await it.socket().answer("sendMessage", { event: "ack", messageId: "id1", seq: 1, at: "" });
  await it.socket().receive(message(1, { senderId: "C1" }));
  assert.equal(await one, await two);
});

test("a late ack settles a send", async (t) => {
  const it = await start(t);
  const sending = it.chat.send("General", "a", "Ann", { id: "one" });
  await it.clock.advance(10_500);
  await it.socket().answer("ping", { event: "pong" });
  await it.socket().receive(message(1, { senderId: "C1" }), { event: "ack", id: "one", channelId: "General", messageId: "id1", seq: 1 });
  assert.equal((await sending).seq, 1);
  await it.clock.advance(60_000);
  assert.deepEqual(it.socket().actions, ["sendMessage"]); // the first
});

test("a send that is refused is not repeated", async (t) => {
  const it = await start(t);
  const refused = assert.rejects(it.chat.send("General", "", "Ann"), { code: "content_empty" });
  await it.socket().answer("sendMessage", { event: "error", code: "content_empty", message: "no" });
  await refused;
  await it.clock.advance(60_000);
  assert.deepEqual(it.socket().actions, []);
});

test("a send without an answer is given up when patience is over", async (t) => {
  const it = await start(t, { patience: 60_000 });
  const failed = assert.rejects(it.chat.send("General", "a", "Ann"), { code: "disconnected" });
  it.socket().drop();
  await it.clock.advance(60_000);
  await failed;
});

test("after a reconnect a send whose ack was lost is found, not repeated", async (t) => {
  const it = await start(t);
  const content = `1 < 2 <u>"&"</u> <b>3</b>`;
  const lost = it.chat.send("General", content, "Ann", { id: "one" });
  const never = it.chat.send("General", "never arrived", "Ann", { id: "two" });
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.subscribed(2, [message(2, { senderId: "C1", content: "1 &lt; 2 &#34;&amp;&#34; <b>3</b>" })]);
  // One number is missing yet, and may be the other message.
  assert.deepEqual(it.socket().actions, []);
  await it.clock.advance(300);
  await it.socket().answer("getHistory", history([message(1), message(2)]));
  const found = await lost;
  assert.deepEqual([found.id, found.messageId, found.seq], ["one", "id2", 2]);
  const again = await it.socket().answer("sendMessage", { event: "ack", messageId: "id3", seq: 3, at: "" });
  assert.equal(again.id, "two");
  assert.equal((await never).seq, 3);
  await it.socket().receive(message(3, { senderId: "C2" }));
  assert.deepEqual(it.socket().actions, []);
});

test("after a reconnect, what came before the ack was lost counts as found", async (t) => {
  const it = await start(t);
  const lost = it.chat.send("General", "a", "Ann");
  await it.socket().receive(message(1, { senderId: "C1", content: "a" }));
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.subscribed(1);
  assert.equal((await lost).messageId, "id1");
});

test("after a reconnect, twins are told apart by number only", async (t) => {
  const it = await start(t);
  const one = it.chat.send("General", "a", "Ann");
  const two = it.chat.send("General", "a", "Ann");
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.subscribed(1, [message(1, { senderId: "C1", content: "a" })]);
  assert.equal((await one).seq, 1);
  await it.socket().answer("sendMessage", { event: "ack", messageId: "id2", seq: 2, at: "" });
  assert.equal((await two).seq, 2);
  await it.socket().receive(message(2, { senderId: "C2" }));
});

test("a send to a channel that one is not in is looked for in its history", async (t) => {
  const it = await start(t);
  const lost = it.chat.send("Elsewhere", "a", "Ann");
  it.socket().drop();
  await it.clock.advance(1000);
  await it.welcome("C2");
  await it.subscribed();
  await it.socket().answer("getHistory", history([message(8, { channelId: "Elsewhere", senderId: "C1", content: "a" })]));
  assert.equal((await lost).seq, 8);
});

test("a send that failed and is repeated with its id is looked for as well", async (t) => {
  const it = await start(t, { patience: 5_000 });
  const failed = assert.rejects(it.chat.send("General", "a", "Ann", { id: "one" }), { code: "disconnected" });
  it.socket().drop();
  await it.clock.advance(5_000);
  await failed;
  await it.welcome("C2");
  await it.subscribed(1, [message(1, { senderId: "C1", content: "a" })]);
  assert.equal((await it.chat.send("General", "a", "Ann", { id: "one" })).seq, 1);
  assert.deepEqual(it.socket().actions, []);
});

test("what is sent while there is no connection goes out with the next", async (t) => {
  const it = stage(t);
  await it.connect();
  const sending = it.chat.send("General", "a", "Ann");
  await it.welcome();
  await it.subscribed();
  await it.socket().answer("sendMessage", { event: "ack", messageId: "id1", seq: 1, at: "" });
  assert.equal((await sending).seq, 1);
  await it.socket().receive(message(1, { senderId: "C1" }));
});

test("an edit is repeated on its connection, and on no other", async (t) => {
  const it = await start(t);
  const editing = it.chat.edit("General", 1, "b");
  await it.socket().answer("editMessage", { event: "error", code: "internal", message: "internal error" });
  await it.clock.advance(1000);
  await it.socket().answer("editMessage", { event: "ack", messageId: "id1", seq: 0, at: "" });
  await editing;
  const failed = assert.rejects(it.chat.delete("General", 1), { code: "disconnected" });
  it.socket().drop();
  await failed;
});

test("planned reconnect: the next connection is there before the old one goes", async (t) => {
  const it = await start(t, { seq: 1 });
  const old = it.socket();
  const keepAlive = async (until) => {
    while (it.clock.now() < until && it.sockets.length === 1) {
      await it.clock.advance(10_000);
      if (old.actions.includes("ping")) await old.answer("ping", { event: "pong" });
    }
  };
  const began = it.clock.now();
  await keepAlive(began + 120 * 60_000);
  const age = it.clock.now() - began;
  assert.ok(age >= 99 * 60_000 && age <= 111 * 60_000, `renewed after ${age} ms`);
  assert.equal(it.sockets.length, 2);

  const sending = it.chat.send("General", "a", "Ann", { id: "one" });
  await it.welcome("C2");
  await it.socket().receive(message(2), { event: "subscriber_sub", channelId: "General", subscriberId: "C2" });
  await old.receive(message(2), { event: "subscriber_sub", channelId: "General", subscriberId: "C2" });
  assert.equal(it.chat.connectionID, "C1");
  await it.subscribed(2, [message(2)]);
  assert.equal(it.chat.connectionID, "C2");
  assert.equal(old.readyState, 1, "the old one still owes an answer");
  await old.answer("sendMessage", { event: "ack", messageId: "id3", seq: 3, at: "" });
  assert.equal((await sending).seq, 3);
  assert.equal(old.readyState, 3);
  await it.socket().receive(message(3), { event: "subscriber_unsub", channelId: "General", subscriberId: "C1" });

  assert.deepEqual(it.seqs(), [2, 3]);
  assert.equal(it.of("subscriber_sub").length, 1);
  assert.deepEqual(it.chat.channels, ["General"]);
  assert.deepEqual(it.of("state").map(({ state }) => state), ["connecting", "open"]);
  assert.deepEqual(it.of("connection").map(({ connectionId }) => connectionId), ["C1", "C2"]);
});

test("planned reconnect: one that fails is tried again, and costs nothing", async (t) => {
  const it = await start(t, { lifetime: 100_000 });
  await it.clock.advance(100_000);
  it.socket().drop();
  await settle();
  assert.equal(it.chat.state, "open");
  await it.clock.advance(60_000);
  assert.equal(it.sockets.length, 3);
  assert.equal(it.chat.connectionID, "C1");
});

test("planned reconnect: an old connection that ends meanwhile is an ordinary loss", async (t) => {
  const it = await start(t, { lifetime: 100_000 });
  await it.clock.advance(100_000);
  it.sockets[0].drop();
  await settle();
  assert.equal(it.chat.state, "waiting");
  await it.clock.advance(1000);
  await it.welcome("C3");
  await it.subscribed();
  assert.equal(it.chat.state, "open");
  assert.equal(it.sockets.filter(({ readyState }) => readyState < 3).length, 1);
});
