// menu.js is the one menu of the page: what can be done to a person or a message. It
// lies beside what opened it, and can be used by keyboard alone.

/** From the edge of the screen, in pixels. */
const margin = 8;

export class Menu {
  #box;
  #opener = null;

  /** box is a popover with the role of a menu. */
  constructor(box) {
    this.#box = box;
    box.addEventListener("keydown", (event) => this.#key(event));
    box.addEventListener("toggle", ({ newState }) => {
      this.#opener?.setAttribute("aria-expanded", String(newState === "open"));
      if (newState === "closed" && box.contains(document.activeElement)) this.#opener?.focus();
    });
  }

  /** items are { label, act, danger, testID }; null is a line between two. */
  open(opener, label, items) {
    this.#opener?.setAttribute("aria-expanded", "false");
    this.#opener = opener;
    this.#box.setAttribute("aria-label", label);
    this.#box.replaceChildren(...items.map((item) => (item ? this.#item(item) : line())));
    this.#box.showPopover();
    this.#stand(opener.getBoundingClientRect());
    this.#items[0].focus();
  }

  close() {
    if (!this.#box.matches(":popover-open")) return;
    this.#box.hidePopover();
    this.#opener?.focus();
  }

  get #items() {
    return [...this.#box.querySelectorAll("[role=menuitem]")];
  }

  #item({ label, act, danger, testID }) {
    const item = document.createElement("button");
    item.type = "button";
    item.setAttribute("role", "menuitem");
    item.tabIndex = -1;
    item.dataset.testid = testID;
    if (danger) item.dataset.danger = "";
    item.textContent = label;
    item.addEventListener("click", () => {
      this.close();
      act();
    });
    return item;
  }

  /** Below the opener, or above it where there is no room, and never off the screen. */
  #stand({ left, right, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height } = this.#box;
    const { innerWidth, innerHeight } = window;
    const x = left + width + margin > innerWidth ? right - width : left;
    const y = bottom + height + margin > innerHeight ? top - height : bottom;
    const within = (value, size, all) => Math.max(margin, Math.min(value, all - size - margin));
    this.#box.style.left = `${within(x, width, innerWidth)}px`;
    this.#box.style.top = `${within(y, height, innerHeight)}px`;
  }

  #key(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (next !== undefined) items.at(next % items.length).focus();
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function line() {
  const element = document.createElement("hr");
  element.setAttribute("role", "separator");
  return element;
}
