// furniture.js holds the parts of the page that know nothing of chat: what went
// wrong, what stands beside the room or over it, a field that grows.

/** A Toast shows one sentence until it is dismissed, mended, or Escape is pressed. */
export class Toast {
  #box;
  #text;

  constructor(box, text, close) {
    this.#box = box;
    this.#text = text;
    close.addEventListener("click", () => this.hide());
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.hide();
    });
  }

  /** Says what is wrong. */
  show(message) {
    this.#box.dataset.kind = "problem";
    this.#box.hidden = false;
    this.#text.textContent = message;
  }

  /** Says what has been done. */
  tell(message) {
    this.show(message);
    this.#box.dataset.kind = "done";
  }

  hide() {
    this.#box.hidden = true;
    this.#text.textContent = "";
  }
}

/**
 * A Drawer is a panel that on a narrow screen lies over the room, which then rests.
 * On a wide one it stands beside: always, or as a column that its button hides.
 */
export class Drawer {
  #app;
  #name;
  #button;
  #panel;
  #rest;
  #wide;
  #isColumn;

  /** name is that of the attribute which says "open" or "closed" to the style sheet. */
  constructor(app, name, { button, panel, rest, wide, isColumn = false }) {
    this.#app = app;
    this.#name = name;
    this.#button = button;
    this.#panel = panel;
    this.#rest = rest;
    this.#wide = matchMedia(wide);
    this.#isColumn = isColumn;
    button.addEventListener("click", () => this.#set(!this.#isOpen));
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.close();
    });
    app.addEventListener("click", ({ target }) => {
      if (!panel.contains(target) && !button.contains(target)) this.close();
    });
    // What was opened when the screen was narrow must not rest on.
    this.#wide.addEventListener("change", () => this.#reset());
    this.#reset();
  }

  /** Takes the panel away where it lies over the room. */
  close() {
    if (!this.#isOpen || this.#wide.matches) return;
    this.#set(false);
    this.#button.focus();
  }

  get #isOpen() {
    const state = this.#app.dataset[this.#name];
    return state ? state === "open" : this.#isColumn && this.#wide.matches;
  }

  #set(open) {
    this.#app.dataset[this.#name] = open ? "open" : "closed";
    this.#show();
    if (open && !this.#wide.matches) this.#panel.querySelector("button:not([hidden]), input")?.focus();
  }

  #reset() {
    delete this.#app.dataset[this.#name];
    this.#show();
  }

  #show() {
    this.#button.setAttribute("aria-expanded", String(this.#isOpen));
    this.#rest.inert = this.#isOpen && !this.#wide.matches;
  }
}

/** grow lets a textarea be as high as its text; the style sheet says how high. */
export function grow(textarea) {
  const fit = () => {
    textarea.style.height = "auto";
    textarea.style.height = `${textarea.scrollHeight}px`;
  };
  textarea.addEventListener("input", fit);
  textarea.form.addEventListener("submit", () => queueMicrotask(fit));
}
