// furniture.js holds the parts of the page that know nothing of chat: what went
// wrong, the sidebar of a narrow screen, a field that grows.

/** A Toast shows one problem until it is dismissed, mended, or Escape is pressed. */
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

  show(message) {
    this.#box.hidden = false;
    this.#text.textContent = message;
  }

  hide() {
    this.#box.hidden = true;
    this.#text.textContent = "";
  }
}

/** A Drawer is the sidebar on a narrow screen, over the room, which then rests. */
export class Drawer {
  #app;
  #button;
  #rest;

  constructor(app, button, panel, rest) {
    this.#app = app;
    this.#button = button;
    this.#rest = rest;
    button.addEventListener("click", () => {
      this.#set(true);
      panel.querySelector("button, input")?.focus();
    });
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.close();
    });
    app.addEventListener("click", ({ target }) => {
      if (this.#isOpen && !panel.contains(target) && !button.contains(target)) this.close();
    });
    // A wide screen shows both; what was opened when it was narrow must not rest on.
    matchMedia("(min-width: 46rem)").addEventListener("change", () => this.#set(false));
  }

  close() {
    if (!this.#isOpen) return;
    this.#set(false);
    this.#button.focus();
  }

  get #isOpen() {
    return this.#app.dataset.drawer === "open";
  }

  #set(open) {
    this.#app.dataset.drawer = open ? "open" : "closed";
    this.#button.setAttribute("aria-expanded", String(open));
    this.#rest.inert = open;
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
