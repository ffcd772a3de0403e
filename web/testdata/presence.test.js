// Who is in a channel, who writes, and what keeps one from writing.

import assert from "node:assert/strict";
import test from "node:test";

import { Limits } from "../limits.js";
import { Members } from "../members.js";
import { decided, personID, personKey, presence, refused, seconds, writing } from "../people.js";
import { Teller, Typing } from "../typing.js";
import { FakeClock } from "./fake.js";

const sub = (subscriberId, user = "", rest = {}) => ({ event: "subscriber_sub", subscriberId, user, name: user.toUpperCase(), ...rest });
const unsub = (subscriberId, user = "", rest = {}) => ({ ...sub(subscriberId, user, rest), event: "subscriber_unsub" });
const member = (user, ...connections) => ({ user, name: user.toUpperCase(), connections });
const shown = (members) => members.all.map(({ key, name, connections }) => `${key} ${name} ${[...connections].sort().join("+")}`).sort();

test("a user's connections are one member, those of nobody known are one each", () => {
  const members = new Members();
  for (const frame of [sub("a1", "ann"), sub("a2", "ann"), sub("a2", "ann"), sub("x"), sub("y"), unsub("a1", "ann"), unsub("y"), unsub("z")]) members.take(frame);
  assert.deepEqual(shown(members), ["@ann ANN a2", "x  x"]);
  assert.equal(members.count, 2);
  members.take(unsub("a2", "ann"));
  assert.deepEqual(shown(members), ["x  x"]);
});

test("who comes and goes while a page is asked for is in none and in two, and stands right all the same", () => {
  const members = new Members();
  members.take(sub("gone", "old"));
  members.ask();
  for (const frame of [unsub("b1", "bob"), sub("c1", "cid"), sub("a1", "ann")]) members.take(frame);
  members.fill({ members: [member("ann", "a1"), member("bob", "b1")], count: 2, cursor: "" }, { first: true });
  assert.deepEqual(shown(members), ["@ann ANN a1", "@cid CID c1"]);
});

test("those that are not listed yet count", () => {
  const members = new Members();
  members.ask();
  members.fill({ members: [member("ann", "a1"), member("bob", "b1")], count: 5, cursor: "next" }, { first: true });
  assert.deepEqual([members.count, members.cursor], [5, "next"]);
  members.take(sub("c1", "cid", { count: 6 }));
  assert.equal(members.count, 6);
  members.take(unsub("b1", "bob"));
  assert.equal(members.count, 5);
  members.ask();
  members.fill({ members: [member("cid", "c1"), member("dee", "d1")], count: 5, cursor: "" }, { first: false });
  assert.deepEqual([members.count, members.all.length, members.cursor], [3, 3, ""]);
});

test("a page that does not come changes nothing", () => {
  const members = new Members();
  members.take(sub("a1", "ann"));
  members.ask();
  members.giveUp();
  members.take(unsub("a1", "ann"));
  members.ask();
  members.fill({ members: [member("ann", "a1")], cursor: "" }, { first: true });
  assert.deepEqual(shown(members), ["@ann ANN a1"], "a frame of before counts no more");
});

test("somebody writes until there is a message, or nothing for a while", async () => {
  const clock = new FakeClock();
  let changes = 0;
  const typing = new Typing(() => changes++, clock);
  typing.note("@bob", "Bob");
  await clock.advance(3_000);
  typing.note("@bob", "Bob");
  typing.note("@cid", "Cid");
  await clock.advance(4_999);
  assert.deepEqual(typing.names, ["Bob", "Cid"]);
  assert.equal(changes, 2, "the same again is no change");
  typing.stop("@bob");
  assert.deepEqual(typing.names, ["Cid"]);
  await clock.advance(1);
  assert.deepEqual(typing.names, []);
  typing.stop("@cid");
  assert.equal(changes, 4);
  assert.equal(clock.size, 0);
});

test("the others are told every 3 seconds, in each channel, and at once after a message", async () => {
  const clock = new FakeClock();
  const teller = new Teller(clock);
  assert.deepEqual(["General", "General", "Other", "General"].map((where) => teller.isDue(where)), [true, false, true, true]);
  await clock.advance(2_999);
  assert.ok(!teller.isDue("General"));
  await clock.advance(1);
  assert.ok(teller.isDue("General"));
  teller.reset();
  assert.ok(teller.isDue("General"));
});

test("slow mode and being muted are said, as long as they last", () => {
  let now = Date.UTC(2026, 0, 1, 12);
  const limits = new Limits(() => now);
  limits.sent("General");
  assert.deepEqual(limits.sentence("General"), { text: "", passes: false });
  limits.slow("General", 30);
  assert.deepEqual(limits.sentence("General"), { text: "Slow mode: 30 s", passes: false });
  limits.sent("General");
  now += 500;
  assert.deepEqual([limits.wait("General"), limits.wait("Other")], [30, 0]);
  assert.deepEqual(limits.sentence("General"), { text: "Slow mode: wait 30 s", passes: true });
  now += 29_500;
  assert.equal(limits.wait("General"), 0);
  limits.refuse("General", 1_500);
  assert.equal(limits.wait("General"), 2);
  limits.slow("General", 0);
  assert.deepEqual(limits.sentence("General"), { text: "", passes: false });

  limits.decide({ event: "muted" });
  limits.decide({ event: "muted", channelId: "General", until: new Date(now + 1000).toISOString() });
  assert.deepEqual(limits.sentence("Other"), { text: "You are muted", passes: false });
  limits.decide({ event: "unmuted" });
  assert.equal(limits.sentence("Other").text, "");
  assert.match(limits.sentence("General").text, /^You are muted until ./);
  now += 1000;
  assert.equal(limits.sentence("General").text, "");
});

test("a person is called by the name, else by the id", () => {
  assert.equal(personKey("ann", "R1kmxc2VNjMCFIA="), "@ann");
  assert.equal(personID(personKey("ann")), "ann");
  assert.equal(personID(personKey("", "R1kmxc2VNjMCFIA=")), "R1kmxc");
});

test("what happens is said in sentences", () => {
  assert.equal(writing([]), "");
  assert.equal(writing(["Ada"]), "Ada is writing…");
  assert.equal(writing(["Ada", "Bob"]), "Ada and Bob are writing…");
  assert.equal(writing(["Ada", "Bob", "Cid"]), "Several people are writing…");
  assert.equal(presence("left", "Ada", "kicked"), "Ada was removed");
  assert.equal(presence("left", "Ada", "forbidden"), "Ada lost access");
  assert.equal(decided({ event: "kicked", channelId: "General", reason: "no <b>" }), "You were removed from General. Reason: no <b>");
  assert.equal(decided({ event: "banned" }), "You are banned.");
  assert.match(decided({ event: "banned", channelId: "General", until: "2026-01-01T12:10:00Z" }, new Date("2026-01-01T12:00:00Z")), /^You are banned from General until \d.*\.$/);
  assert.equal(decided({ event: "muted", channelId: "General" }), "You are muted in General: you can read and not write.");
  assert.equal(decided({ event: "unmuted", channelId: "General" }), "You may write again in General.");
  assert.equal(decided({ event: "unbanned" }), "You are no longer banned.");
  assert.match(refused({ code: "forbidden", message: "x" }, "private:board"), /^private:board is private/);
  assert.equal(refused({ code: "banned", message: "the server's words" }, "General"), "the server's words");
  assert.deepEqual([10, 60, 90, 300].map(seconds), ["10 s", "1 min", "90 s", "5 min"]);
});
