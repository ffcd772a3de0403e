import assert from "node:assert/strict";
import test from "node:test";

import { hue, initials, presence, shortID } from "../people.js";
import { fromAddress, isEndpoint, listed } from "../servers.js";

test("a person is shown by little", () => {
  assert.equal(shortID("R1kmxc2VNjMCFIA="), "R1kmxc");
  assert.equal(initials("ada lovelace"), "AL");
  assert.equal(initials("Жанна-Мария д’Арк"), "ЖД");
  assert.equal(initials("李"), "李");
  assert.equal(initials(""), "?");
  assert.equal(hue("Ada"), hue("Ada"));
  assert.notEqual(hue("Ada"), hue("Bob"));
});

test("who came and went, and why", () => {
  assert.equal(presence("joined", "R1kmxc"), "R1kmxc joined");
  assert.equal(presence("left", "Ada", "left"), "Ada left");
  assert.equal(presence("left", "Ada", "disconnected"), "Ada disconnected");
  assert.equal(presence("left", "Ada", "expired"), "Ada timed out");
  assert.equal(presence("left", "You", "banned"), "You were removed");
  assert.equal(presence("left", "Ada", "a reason of later"), "Ada left");
});

test("endpoints are WebSocket URLs", () => {
  assert.ok(isEndpoint("wss://abc.execute-api.eu-west-1.amazonaws.com/dev"));
  assert.ok(isEndpoint("ws://127.0.0.1:1234/local"));
  for (const text of ["", "abc", "https://host/dev", "javascript:alert(1)"]) assert.ok(!isEndpoint(text), text);
  assert.equal(fromAddress("?endpoint=wss%3A%2F%2Fhost%2Fdev").url(), "wss://host/dev");
  assert.equal(fromAddress("?other=1"), null);
});

test("a server that comes back on another port is found by its name", async () => {
  let list = [{ name: "chat", stage: "local", endpoint: "ws://127.0.0.1:1/local" }];
  const [server] = await listed(async () => list);
  assert.equal(server.name, "chat · local");
  const others = [["other", "local"], ["chat", "dev"]].map(([name, stage]) => ({ name, stage, endpoint: "ws://127.0.0.1:9/x" }));
  list = [...others, { ...list[0], endpoint: "ws://127.0.0.1:2/local" }];
  assert.equal(await server.url(), "ws://127.0.0.1:2/local");
  list = [];
  assert.equal(await server.url(), "ws://127.0.0.1:2/local");
});
