// channels.js shows a list of conversations, the joined channels or the direct ones:
// which is open, and how much is unread in the others.

import { hue, initials } from "./people.js";

export class ChannelList {
  #list;
  #open;
  #person;
  #items = new Map(); // channel -> { item, badge, unread }

  /**
   * list is the ul to fill; open(channel) is called when one is chosen. Where the
   * list is of persons, person(key) gives { user, name }.
   */
  constructor(list, open, person) {
    this.#list = list;
    this.#open = open;
    this.#person = person;
  }

  /** How many messages are unread in all channels. */
  get unread() {
    let sum = 0;
    for (const { unread } of this.#items.values()) sum += unread;
    return sum;
  }

  /** Shows exactly these channels, in this order. */
  show(channels) {
    for (const [channel, { item }] of this.#items) {
      if (channels.includes(channel)) continue;
      item.remove();
      this.#items.delete(channel);
    }
    for (const [index, channel] of channels.entries()) {
      const entry = this.#items.get(channel) ?? this.#make(channel);
      this.#items.set(channel, entry);
      const { [index]: there } = this.#list.children;
      if (there !== entry.item) this.#list.insertBefore(entry.item, there ?? null);
      if (this.#person) this.#name(channel, entry);
    }
  }

  /** Marks the open channel, which is thereby read. */
  select(channel) {
    for (const [name, { item }] of this.#items) {
      const button = item.querySelector("button");
      if (name === channel) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    this.mark(channel, 0);
  }

  /** Sets how many messages are unread in a channel. */
  mark(channel, unread) {
    const entry = this.#items.get(channel);
    if (!entry) return;
    entry.unread = unread;
    entry.item.dataset.unread = unread;
    entry.badge.hidden = unread === 0;
    entry.badge.textContent = unread > 99 ? "99+" : unread;
    entry.badge.setAttribute("aria-label", `${unread} unread`);
  }

  /** Adds one unread message. */
  count(channel) {
    this.mark(channel, (this.#items.get(channel)?.unread ?? 0) + 1);
  }

  #make(channel) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => this.#open(channel));
    const sign = document.createElement("span");
    sign.ariaHidden = "true";
    const name = document.createElement("span");
    name.className = "name";
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.dataset.testid = "unread";
    badge.hidden = true;
    button.append(sign, name, badge);
    item.append(button);
    if (this.#person) {
      sign.className = "avatar";
      item.dataset.testid = "direct";
      button.dataset.testid = "direct-button";
    } else {
      sign.className = "hash";
      sign.textContent = "#";
      name.textContent = channel;
      item.dataset.testid = "channel";
      item.dataset.channel = channel;
      button.dataset.testid = "channel-button";
    }
    return { item, badge, unread: 0 };
  }

  #name(key, { item }) {
    const { user, name } = this.#person(key);
    const [sign, label] = item.firstChild.children;
    item.dataset.user = item.firstChild.title = user;
    sign.textContent = initials(name);
    sign.style.setProperty("--hue", hue(user));
    label.textContent = name;
  }
}
