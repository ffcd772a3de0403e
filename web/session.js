// session.js signs a person in, where a stage knows its users. What it gives goes
// to the client alone: a token is in no URL, and stored at most for this tab.

import { askPerson, askToken } from "./dialogs.js";
import * as memory from "./memory.js";

/** How long the issuer may take to answer, in ms. */
const patience = 10_000;

/**
 * signIn resolves to { token, user, name }, as far as they are known. The token is
 * as the client takes it: nothing where users are anonymous, a function where the
 * page's host gives out a fresh one, else the one that a person has. It resolves to null where they would rather not. again asks,
 * also where it is known, and why says why.
 */
export async function signIn(server, { again = false, why = "" } = {}) {
  let token = again ? "" : memory.token.get(server.name);
  if (!token && server.identity === "local") {
    const person = await introduce(server, again, why);
    if (!person?.hasToken) return person && { ...person, token: () => issue(person) };
  }
  if (!token && !server.identity && !again) return { token: "" };
  token ||= await askToken(why);
  if (!token) return null;
  memory.token.set(server.name, token);
  return { token };
}

/** Finds out whom to sign in as with the page's own host; null: nobody. */
async function introduce(server, again, why) {
  const known = memory.person.get(server.name);
  if (known && !again) return known;
  const person = await askPerson(known ?? {}, issue, why);
  if (person && !person.hasToken) memory.person.set(server.name, person);
  return person || null;
}

/** Signs a person out, as far as this page remembers. */
export function forget(server) {
  memory.token.set(server.name, "");
  memory.person.set(server.name, null);
}

/** Asks the page's host for a token of a person. */
async function issue(person) {
  const response = await fetch("./token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(person),
    cache: "no-store",
    signal: AbortSignal.timeout(patience),
  });
  if (!response.ok) throw new Error(`The sign-in was refused: ${(await response.text()).trim().slice(0, 300) || response.status}`);
  const { token } = await response.json();
  return token;
}
