import assert from "node:assert/strict";
import test from "node:test";

import { Timeline } from "../timeline.js";

/** A screen that shows what it is told to, as the page does. */
class FakeView {
  shown = [];
  place(entry, next) {
    this.remove(entry);
    this.shown.splice(next ? this.shown.indexOf(next) : this.shown.length, 0, entry);
  }
  update() {}
  remove(entry) {
    const index = this.shown.indexOf(entry);
    if (index >= 0) this.shown.splice(index, 1);
  }
}

const at = "2026-01-02T03:04:05.000Z";

function start(options) {
  const view = new FakeView();
  const timeline = new Timeline(view, options);
  const lines = () => {
    assert.deepEqual(view.shown, timeline.entries);
    return view.shown.map((e) => (e.kind === "notice" ? `${e.person} ${e.event}` : `${e.seq ?? "-"} ${e.content} ${e.state}`));
  };
  return { timeline, lines };
}

const message = (seq, content, more) => ({ messageId: `m${seq}`, seq, name: "Bob", content, at, ...more });
const ack = (id, seq) => ({ id, messageId: `m${seq}`, seq, at });

test("frames are put into the order of the channel", () => {
  const { timeline, lines } = start();
  timeline.receive(message(2, "b"));
  timeline.presence("joined", "X");
  timeline.receive(message(1, "a"));
  timeline.receive(message(3, "c"));
  assert.deepEqual(lines(), ["1 a sent", "2 b sent", "X joined", "3 c sent"]);
});

test("a frame that comes twice is shown once", () => {
  const { timeline, lines } = start();
  assert.equal(timeline.receive(message(1, "a")), true);
  assert.equal(timeline.receive(message(1, "a")), false);
  timeline.presence("joined", "X");
  timeline.presence("joined", "X");
  timeline.presence("left", "X");
  assert.deepEqual(lines(), ["1 a sent", "X joined", "X left"]);
});

test("an own message is one entry, whichever comes first", () => {
  for (const order of ["ack first", "frame first"]) {
    const { timeline, lines } = start();
    timeline.send("r1", "Ann", "a < b", new Date());
    const steps = [() => timeline.ack(ack("r1", 1)), () => timeline.receive(message(1, "a &lt; b"), true)];
    for (const step of order === "ack first" ? steps : steps.reverse()) step();
    assert.deepEqual(lines(), ["1 a &lt; b sent"], order);
  }
});

test("an own message that the server changed is one entry", () => {
  const { timeline, lines } = start();
  timeline.send("r1", "Ann", "<u>x</u>y", new Date());
  timeline.receive(message(1, "xy"), true);
  timeline.ack(ack("r1", 1));
  assert.deepEqual(lines(), ["1 xy sent"]);
});

test("two own messages with the same words keep their places", () => {
  const { timeline, lines } = start();
  timeline.send("r1", "Ann", "hi", new Date());
  timeline.send("r2", "Ann", "hi", new Date());
  timeline.receive(message(1, "hi"), true);
  timeline.ack(ack("r2", 1));
  assert.deepEqual(lines(), ["1 hi sent", "- hi pending"]);
  timeline.fail("r1", { code: "timeout", message: "" });
  assert.deepEqual(lines(), ["1 hi sent", "- hi failed"]);
  timeline.ack(ack("r1", 2));
  timeline.receive(message(2, "hi"), true);
  assert.deepEqual(lines(), ["1 hi sent", "2 hi sent"]);
});

test("an ack that overtakes its frame takes nothing from its twin", () => {
  const { timeline, lines } = start();
  timeline.send("r1", "Ann", "hi", new Date());
  timeline.send("r2", "Ann", "hi", new Date());
  timeline.receive(message(1, "hi"), true);
  timeline.ack(ack("r1", 2));
  assert.deepEqual(lines(), ["1 hi sent", "2 hi sent"]);
  timeline.ack(ack("r2", 1));
  assert.deepEqual(lines(), ["1 hi sent", "2 hi sent"]);
});

test("what is being sent stands last, in the order of sending", () => {
  const { timeline, lines } = start();
  timeline.send("r0", "Ann", "first", new Date());
  timeline.send("r1", "Ann", "second", new Date());
  assert.deepEqual(lines(), ["- first pending", "- second pending"]);
  timeline.remove(timeline.entries[0]);
  timeline.remove(timeline.entries[0]);
  timeline.send("r1", "Ann", "mine", new Date());
  timeline.receive(message(1, "theirs"));
  assert.deepEqual(lines(), ["1 theirs sent", "- mine pending"]);
  timeline.ack(ack("r1", 2));
  assert.deepEqual(lines(), ["1 theirs sent", "2 mine sent"]);
});

test("a failed message is found to have arrived, unless the server refused it", () => {
  for (const [code, want] of [["timeout", ["1 x sent"]], ["content_too_long", ["- x failed", "1 x sent"]]]) {
    const { timeline, lines } = start();
    timeline.send("r1", "Ann", "x", new Date());
    timeline.fail("r1", { code, message: "" });
    timeline.receive(message(1, "x"), true);
    assert.deepEqual(lines(), want, code);
  }
});

test("a message tried again moves to the end, and its late ack is taken", () => {
  const { timeline, lines } = start();
  const entry = timeline.send("r1", "Ann", "x", new Date());
  timeline.fail("r1", { code: "timeout", message: "" });
  timeline.receive(message(1, "a"));
  timeline.retry(entry);
  assert.deepEqual(lines(), ["1 a sent", "- x pending"]);
  timeline.ack(ack("r1", 2));
  timeline.fail("r1", { code: "timeout", message: "" });
  assert.deepEqual(lines(), ["1 a sent", "2 x sent"]);
});

test("numbers that did not come are counted until they do; edits are none of them", () => {
  const { timeline } = start();
  const missed = () => timeline.entries.map((entry) => entry.missed);
  timeline.receive(message(2, "z"));
  timeline.receive(message(5, "a"));
  timeline.receive(message(8, "b"));
  assert.deepEqual(missed(), [0, 0, 0], "nobody has looked for them yet");
  timeline.lose(6, 7);
  assert.deepEqual(missed(), [0, 0, 2]);
  timeline.receive(message(7, "c"));
  assert.deepEqual(missed(), [0, 0, 1, 0]);
  timeline.receive(message(6, "d"));
  assert.deepEqual(missed(), [0, 0, 0, 0, 0]);
  timeline.lose(9, 10);
  timeline.receive(message(11, "e"));
  assert.equal(missed().at(-1), 2);
  timeline.change({ event: "message_edited", seq: 9, targetSeq: 2, messageId: "m2", content: "y" });
  timeline.receive(message(12, "f"));
  timeline.receive(message(11, "e"));
  assert.deepEqual(missed().slice(-2), [1, 0]);
});

test("what was changed says the newest, whatever comes first", () => {
  const { timeline, lines } = start();
  const edit = (seq, content) => ({ event: "message_edited", seq, targetSeq: 1, messageId: "m1", content });
  timeline.change(edit(3, "third"));
  timeline.change(edit(2, "second"));
  timeline.receive(message(1, "first"));
  assert.deepEqual(lines(), ["1 third sent"]);
  timeline.change(edit(2, "second"));
  timeline.receive(message(1, "first"));
  assert.deepEqual(lines(), ["1 third sent"]);
  assert.equal(timeline.entries[0].edited, true);
  timeline.change({ event: "message_deleted", seq: 4, targetSeq: 1, messageId: "m1" });
  timeline.change(edit(3, "third"));
  assert.deepEqual(lines(), ["1  sent"]);
  assert.equal(timeline.entries[0].deleted, true);
});

test("what the history says stands before what has come since, and is never forgotten for it", () => {
  const { timeline, lines } = start({ limit: 2 });
  timeline.presence("joined", "X", "", "2026-01-02T04:00:00.000Z");
  timeline.receive(message(9, "i"));
  timeline.older([message(9, "i"), { event: "message_edited", ...message(8, "g+"), targetSeq: 6, messageId: "m6" }, { event: "channel_message", ...message(7, "g") }, { event: "channel_message", ...message(6, "f") }], () => false);
  assert.deepEqual(lines(), ["6 g+ sent", "7 g sent", "X joined", "9 i sent"]);
  assert.equal(timeline.reached, 6);
  for (const seq of [10, 11, 12, 13]) timeline.receive(message(seq, "x"));
  assert.equal(timeline.entries.length, 6);
  assert.equal(timeline.reached, 9);
});

test("a message that was too long for the history is shown as such", () => {
  const { timeline, lines } = start();
  timeline.older([{ event: "channel_message", seq: 1, at, truncated: true }], () => false);
  assert.deepEqual(lines(), ["1  sent"]);
  assert.equal(timeline.entries[0].truncated, true);
});

test("what was missed is told before the first of it", () => {
  const { timeline, lines } = start();
  timeline.receive(message(1, "a"));
  timeline.receive(message(2, "b"));
  timeline.receive(message(3, "c"));
  timeline.away(1, 2);
  assert.deepEqual(lines(), ["1 a sent", "undefined away", "2 b sent", "3 c sent"]);
});

test("a channel that begins anew keeps only what is being sent", () => {
  const { timeline, lines } = start();
  timeline.receive(message(1, "a"));
  timeline.presence("joined", "X");
  timeline.send("r1", "Ann", "mine", new Date());
  timeline.clear();
  timeline.receive(message(1, "new"));
  assert.deepEqual(lines(), ["1 new sent", "- mine pending"]);
});

test("messages of one author stand together until something comes between", () => {
  const { timeline } = start();
  timeline.receive(message(1, "a"));
  timeline.receive(message(2, "b"));
  timeline.presence("joined", "X");
  timeline.receive(message(4, "c"));
  assert.deepEqual(timeline.entries.map((entry) => Boolean(entry.follows)), [false, true, false, false]);
  timeline.receive(message(3, "d", { name: "Eve" }));
  assert.deepEqual(timeline.entries.map((entry) => entry.content ?? ""), ["a", "b", "", "d", "c"]);
  assert.equal(timeline.entries.at(-1).follows, false);
});

test("what stood between messages stands no longer between them once it moves", () => {
  const { timeline } = start();
  timeline.receive(message(1, "a"));
  const entry = timeline.send("r1", "Ann", "x", new Date(at));
  timeline.fail("r1", { code: "timeout", message: "" });
  timeline.receive(message(2, "b"));
  assert.deepEqual(timeline.entries.map((e) => Boolean(e.follows)), [false, false, false]);
  timeline.retry(entry);
  assert.deepEqual(timeline.entries.map((e) => [e.content, Boolean(e.follows)]), [["a", false], ["b", true], ["x", false]]);
});

test("the oldest entries are forgotten", () => {
  const { timeline, lines } = start({ limit: 2 });
  for (const seq of [1, 2, 3]) timeline.receive(message(seq, "x"));
  assert.deepEqual(lines(), ["2 x sent", "3 x sent"]);
});
