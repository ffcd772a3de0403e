// dialogs.js asks what the page cannot know: what a person is called, where the
// page's host does not say, which server to talk to, and whether to delete.

import { isEndpoint, typed } from "./servers.js";

const byID = (id) => document.getElementById(id);

/**
 * askName resolves to a name, or to "" where a person would rather not say. It
 * asks differently at first than when a name is to be changed.
 */
export function askName(suggestion, { first }) {
  const input = byID("name");
  const button = byID("name-form").querySelector("button");
  byID("name-title").textContent = !first ? "Change your name" : suggestion ? "Welcome back" : "Welcome";
  byID("name-hint").textContent = first ? "What should people call you here?" : "Your next messages carry the new name.";
  button.textContent = first ? "Start chatting" : "Save";
  input.value = suggestion;
  return ask(byID("name-dialog"), byID("name-form"), input, () => input.value.trim());
}

/** askServer resolves to one of the servers, or the one typed, or null. */
export function askServer(servers, address) {
  const dialog = byID("endpoint-dialog");
  const input = byID("endpoint");
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
        dialog.close("ok");
      });
      item.append(button);
      return item;
    }),
  );
  return ask(dialog, byID("endpoint-form"), servers.length > 0 ? null : input, () => {
    if (chosen) return chosen;
    const endpoint = input.value.trim();
    if (isEndpoint(endpoint)) return typed(endpoint);
    problem.textContent = "An address begins with wss:// (or ws:// on this machine).";
    input.focus();
    return undefined;
  }).then((server) => server || null);
}

/** askDelete resolves to whether a message is really to be deleted. */
export async function askDelete() {
  const dialog = byID("delete-dialog");
  const form = byID("delete-form");
  const keep = byID("delete-keep");
  const close = () => dialog.close("");
  keep.addEventListener("click", close);
  try {
    return (await ask(dialog, form, null, () => true)) === true;
  } finally {
    keep.removeEventListener("click", close);
  }
}

/**
 * ask shows a dialog until it is answered or left with Escape, which is "". An
 * answer of undefined keeps it open.
 */
function ask(dialog, form, focus, answer) {
  if (dialog.open) return Promise.resolve("");
  return new Promise((resolve) => {
    const submit = (event) => {
      event.preventDefault();
      if (answer() !== undefined) dialog.close("ok");
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", submit);
        resolve(dialog.returnValue === "ok" ? answer() : "");
      },
      { once: true },
    );
    dialog.returnValue = "";
    dialog.showModal();
    focus?.focus();
    focus?.select();
  });
}
