// messages.js shows a timeline: one element an entry, moved and changed as the
// timeline says, never rebuilt as a whole, so that a screen reader hears each
// line once and a selection survives the next message.

import { render } from "./markup.js";
import { clock, hue, initials, presence } from "./people.js";

/** Nearer to the end than this, in pixels, a reader follows the conversation. */
const following = 48;

/** Nearer to the beginning than this, in pixels, earlier messages are fetched. */
const nearTop = 160;

/** What the buttons of a message say, and are found by. */
const labels = {
  edit: ["Edit", "message-edit"],
  remove: ["Delete", "message-delete"],
  choose: ["More…", "message-author"],
};

/** Why a message was not sent, where it was not the server that refused it. */
const lost = { disconnected: ": no connection.", timeout: ": no answer." };

export class MessageView {
  /** The element to show, a log. */
  element = make("div", "log", {
    role: "log",
    "aria-live": "polite",
    "aria-relevant": "additions",
    tabindex: "0",
    "data-testid": "message-list",
  });
  #elements = new Map(); // entry -> element
  #earlier = button("earlier", "Earlier messages", "earlier-button");
  #who;
  #actions;
  #follows = true;
  #quiet = false; // what is placed is old
  #behind = false;
  #top = 0;

  /**
   * who(person) names who came or went; actions are retry(entry) and
   * rewrite(entry), for a message that was not sent, edit(entry) where
   * mayEdit(entry), remove(entry) where mayDelete(entry), choose(entry, button), to
   * show what can be done to its author, where mayChoose(entry), earlier(), to show
   * what came before, and behind(), told when behind has changed.
   */
  constructor(channel, who, actions) {
    this.#who = who;
    this.#actions = actions;
    this.element.setAttribute("aria-label", `Messages in ${channel}`);
    this.element.dataset.channel = channel;
    this.#earlier.classList.add("earlier");
    this.#earlier.hidden = true;
    this.#earlier.addEventListener("click", () => actions.earlier());
    this.element.append(this.#earlier);
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#follows && this.toEnd()).observe(this.element);
  }

  /** Whether there are new messages below what the reader sees. */
  get behind() {
    return this.#behind;
  }

  place(entry, next) {
    let element = this.#elements.get(entry);
    const isNew = !element;
    if (isNew) {
      element = entry.kind === "notice" ? make("p", "notice", { "data-testid": "notice" }) : this.#message(entry);
      this.#elements.set(entry, element);
    }
    this.update(entry);
    const before = next ? this.#elements.get(next) : null;
    if (isNew || element.nextElementSibling !== before) this.element.insertBefore(element, before);
    if (this.#quiet) return;
    if (this.#follows || (isNew && entry.state === "pending")) this.toEnd();
    else if (isNew) this.#setBehind(true);
  }

  /** Lets add() place what is old: it is not read out, and nothing moves for the reader. */
  above(add, more) {
    const { scrollHeight, scrollTop } = this.element;
    this.#quiet = true;
    this.element.setAttribute("aria-live", "off");
    add();
    const focused = document.activeElement === this.#earlier;
    this.#earlier.hidden = !more;
    if (focused && !more) this.element.focus({ preventScroll: true });
    this.#quiet = false;
    if (this.#follows) this.toEnd();
    else this.element.scrollTop = this.#top = scrollTop + this.element.scrollHeight - scrollHeight;
    setTimeout(() => this.element.setAttribute("aria-live", "polite"), 100);
  }

  update(entry) {
    const element = this.#elements.get(entry);
    if (!element) return; // not placed yet
    if (entry.kind === "notice") this.#fillNotice(element, entry);
    else this.#fillMessage(element, entry);
    if (this.#follows && !this.#quiet) this.toEnd();
  }

  /** Shows every message again, after who may change it has changed. */
  refresh() {
    for (const [entry, element] of this.#elements) if (entry.kind === "message") this.#fillMessage(element, entry);
  }

  /** Marks the message that is being edited; null: none. */
  mark(entry) {
    for (const [other, element] of this.#elements) set(element, { editing: other === entry ? true : undefined });
  }

  remove(entry) {
    this.#elements.get(entry)?.remove();
    this.#elements.delete(entry);
  }

  /** Names everyone again, after a name or the own connection became known. */
  rename() {
    for (const [entry, element] of this.#elements) if (entry.kind === "notice") this.#fillNotice(element, entry);
  }

  toEnd() {
    this.#follows = true;
    this.element.scrollTop = this.element.scrollHeight;
    this.#setBehind(false);
  }

  /** Scrolls to where the reader was; only what stands in the page can scroll. */
  shown() {
    if (this.#follows) this.toEnd();
    else this.element.scrollTop = this.#top;
  }

  #setBehind(behind) {
    if (this.#behind === behind) return;
    this.#behind = behind;
    this.#actions.behind();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    if (clientHeight === 0) return;
    this.#top = scrollTop;
    this.#follows = scrollHeight - scrollTop - clientHeight < following;
    if (this.#follows) this.#setBehind(false);
    if (scrollTop < nearTop && !this.#earlier.hidden) this.#actions.earlier();
  }

  #message(entry) {
    const element = make("article", "message", { "data-testid": "message" });
    element.append(
      make("p", "missed"),
      make("span", "avatar", { "aria-hidden": "true" }),
      make("header", "byline"),
      make("div", "content", { "data-testid": "content" }),
      make("footer", "status"),
      make("div", "tools"),
    );
    element.children[2].append(make("span", "author", { "data-testid": "author" }), make("time", "time"));
    element.addEventListener("click", ({ target }) => {
      const opener = target.closest("button");
      if (opener) this.#actions[opener.dataset.action](entry, opener);
    });
    return element;
  }

  #fillMessage(element, entry) {
    const { seq, user, name, content, at, own, state, error, edited, deleted, truncated, follows, missed } = entry;
    set(element, { seq, own: Boolean(own), state, follows: Boolean(follows), deleted: deleted || truncated || undefined, author: name });
    element.style.setProperty("--hue", hue(user || name));
    const [gap, avatar, byline, body, status, tools] = element.children;
    fill(gap, missed ? `${missed === 1 ? "1 message" : `${missed} messages`} not shown here` : "");
    fill(avatar, initials(name));
    const [author, time] = byline.children;
    fill(author, own ? "You" : name);
    author.title = user ?? "";
    fill(time, clock(at));
    time.dateTime = at.toISOString();
    time.title = at.toLocaleString();
    const instead = deleted ? "This message was deleted" : truncated ? "This message is too long to be shown" : "";
    const words = instead ? "" : content;
    if (body.dataset.words !== words || instead) {
      body.dataset.words = words;
      if (instead) fill(body, instead);
      else body.replaceChildren(render(content));
    }
    this.#fillTools(tools, entry);
    const sent = edited && !deleted ? "Edited" : "";
    const line = state === "pending" ? "Sending…" : state === "failed" ? `Not sent${lost[error.code] ?? "."}` : sent;
    if (status.dataset.line === line) return;
    status.dataset.line = line;
    status.replaceChildren(line);
    if (state === "failed") status.append(button("retry", "Try again", "message-retry"), button("rewrite", "Edit", "message-rewrite"));
  }

  #fillTools(tools, entry) {
    const { mayEdit, mayDelete, mayChoose } = this.#actions;
    const stands = entry.state === "sent" && !entry.deleted;
    const may = {
      edit: stands && mayEdit(entry),
      remove: stands && mayDelete(entry),
      choose: entry.state === "sent" && mayChoose(entry),
    };
    const shown = Object.keys(may).filter((action) => may[action]);
    if (tools.dataset.shown === shown.join()) return;
    tools.dataset.shown = shown.join();
    tools.replaceChildren(...shown.map((action) => button(action, ...labels[action])));
  }

  #fillNotice(element, { event, person, reason, at, count }) {
    set(element, { kind: event, person });
    if (event === "away") {
      fill(element, `${count === 1 ? "1 message" : `${count} messages`} while you were away`);
      return;
    }
    element.title = `${person}, ${at.toLocaleString()}`;
    fill(element, presence(event, this.#who(person), reason));
  }
}

function make(tag, className, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function button(action, label, testID) {
  const element = make("button", "link", { type: "button", "data-action": action, "data-testid": testID });
  element.textContent = label;
  return element;
}

/** fill changes text only where it differs: each change is read out aloud. */
function fill(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function set(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete element.dataset[name];
    else if (element.dataset[name] !== String(value)) element.dataset[name] = value;
  }
}
