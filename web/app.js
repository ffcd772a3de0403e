// app.js is the page: it joins the client to what is shown. One Room is one
// conversation with one server; choosing another server begins another Room.

import { Chat } from "./chatstack.js";
import { ChannelList } from "./channels.js";
import { ConnectionView } from "./connection.js";
import { askName, askServer } from "./dialogs.js";
import { Drawer, Toast, grow } from "./furniture.js";
import * as memory from "./memory.js";
import { hue, initials } from "./people.js";
import { Room } from "./room.js";
import { fromAddress, listed } from "./servers.js";

const byID = (id) => document.getElementById(id);

const toast = new Toast(byID("toast"), byID("toast-text"), byID("toast-close"));
const drawer = new Drawer(byID("app"), byID("menu"), byID("sidebar"), byID("room"));
const connection = new ConnectionView({
  box: byID("state"),
  text: byID("state-text"),
  announce: byID("announce"),
  retry: byID("retry"),
  toggle: byID("toggle"),
});
const list = new ChannelList(byID("channels"), (channel) => {
  room?.open(channel);
  drawer.close();
  byID("message").focus();
});

let room = null;
let me = "";

function setName(name) {
  me = name;
  byID("you-name").textContent = name;
  const avatar = byID("you-avatar");
  avatar.textContent = initials(name);
  avatar.style.setProperty("--hue", hue(name));
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

function enter(server) {
  room?.end();
  byID("endpoint-label").textContent = server.name;
  byID("endpoint-label").title = server.name;
  const chat = new Chat(server.url, { channels: memory.channels.get(server.name) });
  chat.addEventListener("channels", ({ detail }) => memory.channels.set(server.name, detail.channels));
  room = new Room(chat, { list, toast, me: () => me });
  connection.follow(chat);
  chat.connect();
}

async function changeServer() {
  const servers = await listed();
  const server = await askServer(servers, memory.address.get());
  if (!server) return;
  if (!servers.includes(server)) memory.address.set(server.name);
  enter(server);
}

async function start() {
  const servers = await listed();
  const server = fromAddress(location.search) ?? (servers.length === 1 ? servers[0] : null);
  if (server) enter(server);
  else await changeServer();
  if (!room) toast.show("Choose a server to begin.");
  if (memory.name.get()) setName(memory.name.get());
  else await changeName({ first: true });
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
byID("rename").addEventListener("click", () => changeName({ first: false }));
byID("change").addEventListener("click", changeServer);
document.addEventListener("visibilitychange", () => room?.read());
grow(byID("message"));

start();
