// panel.js shows who is in the open conversation.

import { hue, initials } from "./people.js";

export class MembersPanel {
  #parts;
  #rows = new Map(); // key -> element
  #chosen;

  /**
   * parts are elements: list to fill, badge and count for the number, more for
   * those who are not listed. chosen(member, element) is called when one with a menu
   * is chosen, more() when others are wanted.
   */
  constructor(parts, { chosen, more }) {
    this.#parts = parts;
    this.#chosen = chosen;
    parts.more.addEventListener("click", more);
    parts.list.addEventListener("keydown", (event) => this.#move(event));
  }

  /** Shows members { key, user, name, own, devices, hasMenu }, of count, in their order. */
  show(members, count) {
    const { list, badge, total, more } = this.#parts;
    const keys = new Set(members.map(({ key }) => key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      if (row.contains(document.activeElement)) (row.nextElementSibling ?? row.previousElementSibling)?.querySelector("button")?.focus();
      row.remove();
      this.#rows.delete(key);
    }
    for (const [index, member] of members.entries()) {
      const row = this.#row(member);
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    }
    badge.textContent = total.textContent = count || "";
    more.hidden = members.length >= count;
    // One of the rows is in the way of Tab; the arrows go on from there.
    const buttons = [...list.querySelectorAll("button")];
    const there = buttons.find((button) => button.tabIndex === 0) ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === there ? 0 : -1;
  }

  #row(member) {
    const { key, user, name, own, devices, hasMenu } = member;
    let row = this.#rows.get(key);
    if (!row || Boolean(row.querySelector("button")) !== hasMenu) {
      row?.remove();
      row = make("li", "");
      row.dataset.testid = "member";
      const body = make(hasMenu ? "button" : "div", "member");
      if (hasMenu) {
        body.type = "button";
        body.tabIndex = -1;
        body.dataset.testid = "member-button";
        body.setAttribute("aria-haspopup", "menu");
        body.setAttribute("aria-expanded", "false");
        body.addEventListener("click", () => this.#chosen(row.member, body));
      }
      const avatar = make("span", "avatar");
      avatar.ariaHidden = "true";
      body.append(avatar, make("span", "name"), make("span", "detail"));
      row.append(body);
      this.#rows.set(key, row);
    }
    row.member = member;
    row.dataset.user = user;
    const [avatar, label, detail] = row.firstChild.children;
    row.firstChild.title = user || key;
    fill(avatar, initials(name));
    avatar.style.setProperty("--hue", hue(user || name));
    fill(label, name);
    fill(detail, [own && "you", devices > 1 && `${devices} devices`].filter(Boolean).join(", "));
    return row;
  }

  #move(event) {
    const buttons = [...this.#parts.list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || !buttons[next]) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[next].tabIndex = 0;
    buttons[next].focus();
  }
}

function make(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

function fill(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
