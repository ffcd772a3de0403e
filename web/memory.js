// memory.js remembers across reloads. A browser may forbid it, which is no
// reason not to chat, so nothing here fails.
//
// A name and the joined channels belong to a tab, so that two tabs can be two
// people; the last name is also kept for the next tab to suggest.

const prefix = "chatstack.";

function read(storage, key) {
  try {
    return globalThis[storage].getItem(prefix + key) ?? "";
  } catch {
    return "";
  }
}

function write(storage, key, value) {
  try {
    globalThis[storage].setItem(prefix + key, value);
  } catch {
    // Forbidden or full: forgotten at the next reload.
  }
}

function readJSON(key) {
  try {
    return JSON.parse(read("sessionStorage", key)) ?? undefined;
  } catch {
    return undefined;
  }
}

export const name = {
  /** The name in this tab, or "". */
  get: () => read("sessionStorage", "name"),
  /** The last name in any tab, or "". */
  suggestion: () => read("localStorage", "name"),
  set(value) {
    write("sessionStorage", "name", value);
    write("localStorage", "name", value);
  },
};

export const channels = {
  /** The channels joined in this tab, or undefined where none was ever joined. */
  get: (server) => readJSON(`channels:${server}`),
  set: (server, list) => write("sessionStorage", `channels:${server}`, JSON.stringify(list)),
};

/** Whom a person signs in as in this tab, { user, name }, or undefined. */
export const person = {
  get: (server) => readJSON(`person:${server}`),
  set: (server, value) => write("sessionStorage", `person:${server}`, JSON.stringify(value)),
};

/** A token that a person gave, kept for this tab's reloads and nowhere else. */
export const token = {
  get: (server) => read("sessionStorage", `token:${server}`),
  set: (server, value) => write("sessionStorage", `token:${server}`, value),
};

export const address = {
  get: () => read("localStorage", "address"),
  set: (value) => write("localStorage", "address", value),
};
