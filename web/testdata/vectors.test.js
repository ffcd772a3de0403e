// The recorded frames of testdata/protocol, which the chat and the Go client run
// as well: each is taken for what it is recorded to be.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { settle, stage } from "./fake.js";

const vectors = new URL("../../testdata/protocol/", import.meta.url);

/** The events that each kind of frames.json may be. */
const kinds = {
  message: ["channel_message"],
  revision: ["message_edited", "message_deleted"],
  joined: ["subscriber_sub"],
  left: ["subscriber_unsub"],
  typing: ["typing"],
  token_expired: ["token_expired"],
  answer: ["ack", "subscribed", "unsubscribed", "history", "members", "directs", "you", "pong", "error"],
};

/** What a listener can be typed for. */
const typed = readFileSync(new URL("../chatstack.d.ts", import.meta.url), "utf8").split("interface ChatEvents {")[1].split("\n}")[0];

/** After these, unless they are of one channel, the server ends the connection. */
const ends = new Set(["kicked", "banned", "token_expired"]);

/** What the client tells of itself. */
const ownEvents = new Set(["state", "connection", "channels", "resumed", "reset"]);

/** Fails at what this file does not look at, so that nothing recorded goes unchecked. */
function shape(value, ...names) {
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, [], "web/testdata/vectors.test.js does not know these fields: have it check them");
}

function read(name, list) {
  const file = JSON.parse(readFileSync(new URL(name, vectors), "utf8"));
  shape(file, "about", list);
  assert.ok(file[list].length > 0, `${name} is empty`);
  return file[list];
}

/** Makes a client that is about to be told of its place in General. */
async function connect(t, connectionId, you) {
  const it = stage(t);
  it.given = []; // whatever it dispatches
  it.chat.dispatchEvent = ({ type, detail }) => it.given.push([type, detail]);
  await it.connect();
  await it.welcome(connectionId, ["General"], you);
  return it;
}

/** Lets the server send a frame, and gives the events of it. */
async function receive(it, frame) {
  it.given.length = 0;
  await it.socket().receive(frame);
  return it.given.filter(([type]) => !ownEvents.has(type));
}

/** Asks as in a recorded frame, and gives what the client sends and its answer. */
function ask({ chat, socket }, { action, id, ...fields }) {
  const answer = chat.request(action, fields, { id });
  answer.catch(() => {});
  return { sent: socket().sent.pop(), answer };
}

/** The frame that an answer to a request was. */
function answered(answer, id) {
  return answer.catch(({ name, code, message, retryAfter }) => {
    assert.equal(name, "ChatError");
    return { event: "error", id, code, message, ...(retryAfter && { retryAfterMs: retryAfter }) };
  });
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

test("vectors: all are run", () => {
  assert.deepEqual(readdirSync(vectors).sort(), ["answers.json", "frames.json", "orders.json"]);
});

for (const vector of read("frames.json", "frames")) {
  test(`vectors: frames: ${vector.name}`, async (t) => {
    shape(vector, "name", "frame", "items");
    for (const item of vector.items) {
      shape(item, "as", "fields");
      assert.ok(item.as === "foreign" || kinds[item.as], `web/testdata/vectors.test.js does not know a ${item.as}: have it check one`);
    }
    const isAsked = ({ as, fields }) => as === "answer" && fields.id !== undefined;
    const first = vector.items.find(({ as }) => as === "message" || as === "revision");
    const it = await connect(t, "C1");
    await it.subscribed((first?.fields.seq ?? 1) - 1);
    const asked = vector.items.filter(isAsked).map(({ fields }) => ask(it, { action: "any", id: fields.id }));

    const told = await receive(it, vector.frame);
    const events = vector.items.filter((item) => !isAsked(item));
    assert.equal(told.length, events.length, `it gives ${JSON.stringify(told)}`);
    const same = (got, fields) => {
      for (const [name, value] of Object.entries(fields)) assert.deepEqual(got[name], value, name);
    };
    for (const [index, { as, fields }] of events.entries()) {
      const [type, detail] = told[index];
      if (as === "foreign") {
        assert.ok(type === "error" ? ["frame", "gateway"].includes(detail.code) : !Object.values(kinds).flat().includes(type), `taken for ${type}`);
      } else {
        assert.ok(kinds[as].includes(type), `a ${as} is taken for ${type}`);
        same(detail, fields);
      }
    }
    for (const [index, { fields }] of vector.items.filter(isAsked).entries()) {
      same(await answered(asked[index].answer, fields.id), fields);
    }
    if (!events.some(({ fields }) => ends.has(fields.event))) assert.equal(it.chat.state, "open");
    assert.deepEqual(it.chat.channels, ["General"]);
  });
}

for (const scenario of read("answers.json", "scenarios")) {
  test(`vectors: answers: ${scenario.name}`, async (t) => {
    shape(scenario, "name", "connections", "users", "steps");
    const clients = {};
    for (const id of scenario.connections) {
      const { user = "", name = "", moderates, ...token } = scenario.users?.[id] ?? {};
      shape(token, "channels");
      clients[id] = await connect(t, id, { user, name, moderates });
      await clients[id].subscribed();
    }
    const heads = {}; // of the channels
    const seen = new Set();
    const ended = new Set(); // who has been told that the server ends the connection
    for (const [number, step] of scenario.steps.entries()) {
      shape(step, "from", "route", "frame", "answer", "events");
      const where = `step ${number}, ${step.frame.slice(0, 200)}`;
      assert.ok(kinds.answer.includes(step.answer.event), `web/testdata/vectors.test.js does not know the answer ${step.answer.event}`);
      const it = clients[step.from];
      const recorded = parse(step.frame);
      if (ended.has(step.from)) {
        assert.equal(step.answer.event, "error", where);
      } else if (recorded && (recorded.id === undefined || recorded.id === step.answer.id)) {
        const frame = { ...recorded, id: recorded.id ?? `step ${number}` };
        const answer = { ...step.answer, id: frame.id };
        const asked = ask(it, frame);
        assert.deepEqual(asked.sent, frame, where);
        assert.deepEqual(await receive(it, answer), [], where);
        assert.deepEqual(await answered(asked.answer, frame.id), answer, where);
      } else {
        // The client sends nothing of the kind; whose answer it is, nobody knows.
        assert.deepEqual(await receive(it, step.answer), [[step.answer.event, step.answer]], where);
      }
      for (const [to, events] of Object.entries(step.events ?? {})) {
        for (const event of events.filter(() => !ended.has(to))) {
          const { channelId, seq } = event;
          assert.match(typed, new RegExp(`^  ${event.event}: `, "m"), "ChatEvents of web/chatstack.d.ts lacks it");
          if (seq) heads[channelId] = Math.max(seq, heads[channelId] ?? 0);
          const key = `${to} ${channelId} ${seq}`;
          const told = await receive(clients[to], event);
          // The client may add what it knows.
          assert.deepEqual(told, seq && seen.has(key) ? [] : [[event.event, { ...told[0]?.[1], ...event }]], where);
          seen.add(key);
          if (ends.has(event.event) && !channelId) ended.add(to);
          // Whoever is put into a channel asks for its place in the order.
          for (const { action } of [...clients[to].socket().sent]) {
            assert.equal(action, "subscribeChannel", where);
            await clients[to].subscribed(heads[channelId]);
          }
        }
      }
    }
  });
}

for (const vector of read("orders.json", "orders")) {
  test(`vectors: orders: ${vector.name}`, async (t) => {
    shape(vector, "name", "after", "subscribed", "frames", "given");
    const it = await connect(t, "C1");
    if (vector.after !== undefined) {
      await it.subscribed(vector.after);
      it.socket().drop();
      await it.clock.advance(1000);
      await it.welcome("C2");
    }
    it.given.length = 0;
    const request = await it.socket().answer("subscribeChannel", vector.subscribed);
    assert.equal(request.after, vector.after);
    for (const frame of vector.frames) await it.socket().receive(frame);
    await it.clock.advance(100);
    await settle();
    // What was being stored during the first subscription is told, as nothing else would tell it.
    const isEarly = ({ late, seq }) => late && vector.after === undefined && seq <= vector.subscribed.seq;
    const told = it.given.filter(([type, detail]) => !ownEvents.has(type) && !isEarly(detail));
    assert.deepEqual(told.map(([type, { seq }]) => seq ?? type), vector.given);
    assert.ok(told.every(([, { channelId }]) => channelId === "General"), JSON.stringify(told));
  });
}
