// app.js is the page: it joins the client to what is shown. One Room is one
// conversation with one server; choosing another server, or another user, begins
// another Room.

import { Chat } from "./chatstack.js";
import { ChannelList } from "./channels.js";
import { ConnectionView } from "./connection.js";
import { askName, askServer } from "./dialogs.js";
import { Drawer, Toast, grow } from "./furniture.js";
import * as memory from "./memory.js";
import { Menu } from "./menu.js";
import { MembersPanel } from "./panel.js";
import { hue, initials } from "./people.js";
import { Room } from "./room.js";
import { fromAddress, listed } from "./servers.js";
import { forget, signIn } from "./session.js";

const byID = (id) => document.getElementById(id);

const toast = new Toast(byID("toast"), byID("toast-text"), byID("toast-close"));
const menu = new Menu(byID("popup"));
const app = byID("app");
const drawer = new Drawer(app, "drawer", { button: byID("menu"), panel: byID("sidebar"), rest: byID("room"), wide: "(min-width: 46rem)" });
const people = new Drawer(app, "people", { button: byID("people"), panel: byID("members"), rest: byID("room"), wide: "(min-width: 68rem)", isColumn: true });
const connection = new ConnectionView({
  box: byID("state"),
  text: byID("state-text"),
  announce: byID("announce"),
  retry: byID("retry"),
  toggle: byID("toggle"),
});
const open = (conversation) => {
  room?.open(conversation);
  drawer.close();
  byID("message").focus();
};
const list = new ChannelList(byID("channels"), open);
const directs = new ChannelList(byID("directs"), open, (key) => room.person(key));
const panel = new MembersPanel(
  { list: byID("members-list"), badge: byID("people-count"), total: byID("members-count"), more: byID("members-more") },
  { chosen: (member, opener) => room?.choose(member, opener), more: () => room?.moreMembers() },
);

let room = null;
let server = null; // the one of room
let me = "";

function showMe(name, user = "") {
  byID("you-name").textContent = name;
  byID("you-name").title = user;
  const avatar = byID("you-avatar");
  avatar.textContent = name ? initials(name) : "";
  avatar.style.setProperty("--hue", hue(user || name));
}

function setName(name) {
  me = name;
  showMe(name);
}

async function changeName({ first }) {
  const given = await askName(me || memory.name.suggestion(), { first });
  if (given) {
    setName(given);
    memory.name.set(given);
  } else if (!me) {
    setName(`Guest ${1000 + Math.floor(Math.random() * 9000)}`);
  }
  byID("message").focus();
}

/** Sees to a name where the server knows nobody. */
async function introduce() {
  if (me || memory.name.get()) setName(me || memory.name.get());
  else await changeName({ first: true });
}

/** Offers what a person can do about who they are here. */
function offer(action) {
  byID("account").dataset.action = action;
  byID("account").textContent = { rename: "Rename", out: "Sign out", in: "Sign in" }[action];
}

/** Begins a Room, after signing in where the server wants that. Reports whether it did. */
async function enter(next, options) {
  const session = await signIn(next, options);
  if (!session) {
    leave(next);
    return false;
  }
  room?.end();
  server = next;
  byID("endpoint-label").textContent = byID("endpoint-label").title = server.name;
  const chat = new Chat(server.url, { channels: memory.channels.get(server.name), token: session.token });
  room = new Room(chat, { list, directs, panel, menu, toast, me: () => chat.name || session.name || me, uncover: () => people.close() });
  chat.addEventListener("channels", ({ detail }) => memory.channels.set(next.name, detail.channels));
  chat.addEventListener("connection", () => {
    if (chat.user) showMe(chat.name, chat.user);
  });
  chat.addEventListener("state", ({ detail }) => follow(next, session, detail));
  connection.follow(chat);
  chat.connect();
  offer(session.token ? "out" : "rename");
  if (session.token) showMe(session.name ?? "", session.user);
  else await introduce();
  return true;
}

/** Ends the Room, if it is of a server that one has to sign in to. */
function leave(of) {
  room?.end();
  room = null;
  server = of;
  connection.follow(null);
  byID("endpoint-label").textContent = byID("endpoint-label").title = of.name;
  showMe("");
  offer("in");
  toast.show("Sign in to begin.");
}

/** Says what to do where a connection is not let in. */
function follow(of, session, { state, reason }) {
  if (reason === "refused" && !session.isTold) {
    const help = session.token ? "“Sign out” lets you sign in anew." : "If it asks for a token, give one under “Change server”.";
    toast.show(`The chat is not there, or does not let you in. ${help}`);
    session.isTold = true;
  }
  if (state === "open") session.isTold = false;
  if (state === "closed" && reason === "token_expired") {
    memory.token.set(of.name, "");
    enter(of, { again: true, why: "Your session has expired: sign in again." });
  }
}

async function changeAccount() {
  const { action } = byID("account").dataset;
  if (action === "rename") {
    await changeName({ first: false });
    return;
  }
  if (action === "out") {
    forget(server);
    memory.channels.set(server.name, null); // those of another user
    leave(server);
  }
  toast.hide();
  await enter(server, { again: true });
  byID("message").focus();
}

async function changeServer() {
  const servers = await listed();
  const answer = await askServer(servers, memory.address.get());
  if (!answer) return;
  const { server: next, token } = answer;
  if (!servers.includes(next)) {
    memory.address.set(next.name);
    memory.token.set(next.name, token);
  }
  await enter(next);
}

async function start() {
  const servers = await listed();
  const only = fromAddress(location.search) ?? (servers.length === 1 ? servers[0] : null);
  if (only) await enter(only);
  else await changeServer();
  if (!server) {
    toast.show("Choose a server to begin.");
    await introduce();
  }
  byID("message").focus();
}

byID("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  room?.say();
});
byID("message").addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Escape" && room?.cancelEdit()) event.stopPropagation();
  if (event.key === "ArrowUp" && event.target.value === "") {
    event.preventDefault();
    room?.editLast();
  }
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  room?.say();
});
byID("message").addEventListener("input", ({ isTrusted }) => {
  if (isTrusted) room?.wrote();
});
byID("editing-cancel").addEventListener("click", () => {
  room?.cancelEdit();
  byID("message").focus();
});
byID("join").addEventListener("submit", (event) => {
  event.preventDefault();
  room?.join(byID("join-channel")).then((joined) => joined && drawer.close());
});
byID("leave").addEventListener("click", () => room?.leave());
byID("latest").addEventListener("click", () => room?.toLatest());
byID("slowness").addEventListener("click", ({ currentTarget }) => room?.chooseSlowness(currentTarget));
byID("members-close").addEventListener("click", () => people.close());
byID("account").addEventListener("click", changeAccount);
byID("change").addEventListener("click", changeServer);
document.addEventListener("visibilitychange", () => room?.read());
grow(byID("message"));

start();
