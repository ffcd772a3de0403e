// dialogs.js asks what the page cannot know: what a person is called and how to sign
// in, where the page's host does not say, which server to talk to, and whether to
// do what cannot be undone.

import { isEndpoint, typed } from "./servers.js";

const byID = (id) => document.getElementById(id);

/**
 * askName resolves to a name, or to "" where a person would rather not say. It
 * asks differently at first than when a name is to be changed.
 */
export function askName(suggestion, { first }) {
  const input = byID("name");
  showName({
    title: !first ? "Change your name" : suggestion ? "Welcome back" : "Welcome",
    hint: first ? "What should people call you here?" : "Your next messages carry the new name.",
    button: first ? "Start chatting" : "Save",
  });
  input.value = suggestion;
  return ask(byID("name-dialog"), byID("name-form"), input, () => input.value.trim());
}

/**
 * askPerson resolves to { user, name }, whom to sign in as, to { hasToken } where a
 * person has a token for it, or to "". check(person) throws where that is refused.
 */
export function askPerson({ user = "", name = "" }, check, why) {
  const hint = why || "Who are you here? On another device, the same id is you again.";
  showName({ title: "Sign in", hint, button: "Sign in", withUser: true });
  const input = byID("user");
  input.value = user;
  byID("name").value = name;
  return ask(byID("name-dialog"), byID("name-form"), input, async (choice) => {
    if (choice === "token") return { hasToken: true };
    const person = { user: input.value.trim(), name: byID("name").value.trim() };
    person.name ||= person.user;
    try {
      if (!person.user) throw new Error("An id is needed, such as ada.");
      await check(person);
      return person;
    } catch ({ message }) {
      byID("name-problem").textContent = message;
      input.focus();
      return undefined;
    }
  });
}

function showName({ title, hint, button, withUser = false }) {
  byID("name-title").textContent = title;
  byID("name-hint").textContent = hint;
  byID("name-form").querySelector("button").textContent = button;
  byID("name-problem").textContent = "";
  for (const label of byID("name-form").querySelectorAll("label")) label.classList.toggle("hidden", !withUser);
  for (const element of byID("name-form").querySelectorAll(".with-user")) element.hidden = !withUser;
}

/** askToken resolves to a token, or "". It says why, where one was had before. */
export function askToken(why = "") {
  const input = byID("token");
  input.value = "";
  byID("token-why").textContent = why || "This chat knows its users. Paste the token that you were given for it.";
  return ask(byID("token-dialog"), byID("token-form"), input, () => input.value.trim() || undefined).finally(() => {
    input.value = "";
  });
}

/**
 * askDecision resolves to { reason, everywhere }, or "", after asking whether a
 * person really is to be removed. everywhere is offered to who may do that.
 */
export function askDecision({ title, hint, button, everywhere }) {
  byID("decision-title").textContent = title;
  byID("decision-hint").textContent = hint;
  byID("decision-do").textContent = button;
  byID("decision-everywhere").checked = false;
  byID("decision-where").hidden = !everywhere;
  const reason = byID("decision-reason");
  reason.value = "";
  return ask(byID("decision-dialog"), byID("decision-form"), reason, () => ({
    reason: reason.value.trim() || undefined,
    everywhere: byID("decision-everywhere").checked,
  }));
}

/** askServer resolves to { server, token }: one of the servers, or the one typed; or null. */
export async function askServer(servers, address) {
  const dialog = byID("endpoint-dialog");
  const input = byID("endpoint");
  const token = byID("endpoint-token");
  token.value = "";
  const problem = byID("endpoint-problem");
  problem.textContent = "";
  input.value = address;
  let chosen = null;
  byID("endpoint-choices").replaceChildren(
    ...servers.map((server) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.testid = "endpoint-choice";
      button.textContent = server.name;
      button.addEventListener("click", () => {
        chosen = server;
        byID("endpoint-form").requestSubmit();
      });
      item.append(button);
      return item;
    }),
  );
  const answer = await ask(dialog, byID("endpoint-form"), servers.length > 0 ? null : input, () => {
    if (chosen) return { server: chosen, token: "" };
    const endpoint = input.value.trim();
    if (isEndpoint(endpoint)) return { server: typed(endpoint), token: token.value.trim() };
    problem.textContent = "An address begins with wss:// (or ws:// on this machine).";
    input.focus();
    return undefined;
  });
  token.value = "";
  return answer || null;
}

/** askDelete resolves to whether a message is really to be deleted. */
export async function askDelete() {
  return (await ask(byID("delete-dialog"), byID("delete-form"), null, () => true)) === true;
}

for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/**
 * ask shows a dialog until it is answered or left with Escape, which is "". answer
 * is given the value of the button; undefined, or a promise of it, keeps it open.
 */
function ask(dialog, form, focus, answer) {
  if (dialog.open) return Promise.resolve("");
  return new Promise((resolve) => {
    let given = "";
    const submit = async (event) => {
      event.preventDefault();
      const value = await answer(event.submitter?.value);
      if (value === undefined || !dialog.open) return;
      given = value;
      dialog.close();
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", submit);
        resolve(given);
      },
      { once: true },
    );
    dialog.showModal();
    focus?.focus();
    focus?.select();
  });
}
