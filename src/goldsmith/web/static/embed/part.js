// What every part is: an element with a shadow, a title, a place for words, and its share of the page's connection.
// A part says what it shows in `paint`; this file says when, and what there is to see meanwhile.

import { connectionFor, forget, HOME, tokenOfThePage } from "./connection.js";
import { sheet } from "./style.js";

const SAY_EVERY_MS = 10000;
const TEXT_OF_STATE = {
  queued: "waiting for its turn",
  starting: "starting",
  running: "running",
  paused: "paused",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};
export const AT_WORK = ["queued", "starting", "running"];

/** An element: attributes, then what is inside. `on…` are listeners; false and null attributes are left out. */
export function make(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...inside.filter((each) => each !== null && each !== ""));
  return made;
}

export class Part extends HTMLElement {
  static observedAttributes = ["token", "address", "heading"];
  static title = "";

  connection = null;
  #token = "";
  #lastSaid = 0;
  #shown = "";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [sheet];
    this.headline = make("h2", { id: "title", part: "title" });
    this.words = make("div", { part: "message" });
    this.body = make("div", { part: "body", hidden: true });
    this.status = make("p", { part: "status", role: "status" });
    this.alarm = make("div", { part: "alert", role: "alert" });
    root.append(
      make("section", { part: "card", "aria-labelledby": "title" }, this.headline, this.words, this.body, this.alarm, this.status),
    );
  }

  /** The short-lived token that the application's server asked for. */
  get token() {
    return this.#token;
  }
  set token(value) {
    this.#token = value ?? "";
    if (this.isConnected) this.join();
  }

  /** What stands above it. */
  get heading() {
    return this.getAttribute("heading") ?? this.constructor.title;
  }
  set heading(value) {
    this.setAttribute("heading", value);
  }

  connectedCallback() {
    for (const name of ["token", "heading", "value", "name", "training", "model"]) this.#takeBack(name);
    this.headline.textContent = this.heading;
    this.join();
  }

  disconnectedCallback() {
    this.connection?.leave(this);
    this.connection = null;
    forget(this);
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (name === "token") this.#token = after ?? "";
    if (!this.isConnected) return;
    this.headline.textContent = this.heading;
    if (name === "token" || name === "address") this.join();
    else this.show({ anew: true });
  }

  /** Come to the page's connection, if there is a token. */
  join() {
    const token = this.#token || tokenOfThePage(this);
    const found = token ? connectionFor(this.getAttribute("address")?.replace(/\/$/, "") ?? HOME, token) : null;
    if (found !== this.connection) this.connection?.leave(this);
    if (found && found !== this.connection) found.join(this);
    this.connection = found;
    this.show({ anew: true });
  }

  /** Show what is known now; nothing is touched where nothing has changed, so that nobody loses their place. */
  show({ anew = false } = {}) {
    const { now, trouble } = this.connection ?? {};
    if (!this.connection) return this.#say("Waiting for the application to say who you are.");
    if (trouble?.isToken) return this.#say("Your time on this page is over.", "It goes on by itself when the application renews it; else load the page again.");
    if (trouble && !now) return this.#say(trouble.title, trouble.hint);
    if (!now) return this.#say("Asking Goldsmith what is there…");
    const seen = JSON.stringify(this.sees(now));
    this.words.replaceChildren(...(trouble ? [make("p", {}, `${trouble.title}. What you see may be old.`)] : []));
    this.body.hidden = false;
    if (anew || seen !== this.#shown) this.paint(now);
    this.#shown = seen;
    return undefined;
  }

  /** What of an answer this part looks at. */
  sees(now) {
    return now;
  }

  /** Whether the token allows it. */
  may(what) {
    return this.connection?.now?.may.includes(what) ?? false;
  }

  /** Ask for something to be done; says in words what is wrong, and asks again how things are. Null: it was refused. */
  async act(button, path, body = {}) {
    if (button.hasAttribute("aria-busy")) return null;
    button.setAttribute("aria-busy", "true");
    this.alarm.replaceChildren();
    try {
      return await this.connection.ask(path, body);
    } catch (trouble) {
      this.complain(trouble);
      return null;
    } finally {
      button.removeAttribute("aria-busy");
      await this.connection?.refresh();
    }
  }

  complain(trouble) {
    this.alarm.replaceChildren(
      make("p", {}, make("strong", {}, trouble.title ?? ""), ` ${trouble.message === trouble.title ? "" : trouble.message} `, trouble.hint),
    );
  }

  /** Tell the application. Events leave the shadow and bubble, so that one listener on the page hears all. */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** For who listens instead of looking; numbers that run are said at most every ten seconds. */
  announce(text, { isRunning = false } = {}) {
    if (isRunning && Date.now() - this.#lastSaid < SAY_EVERY_MS) return;
    if (this.status.textContent === text) return;
    this.#lastSaid = Date.now();
    this.status.textContent = text;
  }

  #say(text, hint = "") {
    this.body.hidden = true;
    this.#shown = "";
    if (this.words.textContent === text + hint) return;
    this.words.replaceChildren(make("p", {}, text), hint && make("p", { class: "second" }, hint));
  }

  /** A property that was set before the element's script was there. */
  #takeBack(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value;
  }
}

/** A labelled field. */
export function field(label, control, { help = "" } = {}) {
  const id = control.id;
  const helpId = `${id}-help`;
  if (help) control.setAttribute("aria-describedby", helpId);
  return make(
    "p",
    { class: "field", part: "field" },
    make("label", { for: id }, label),
    control,
    help && make("small", { id: helpId, class: "second" }, help),
  );
}

/** Fill a select anew, and keep what was chosen while it is still there. */
export function fill(select, groups, { chosen = select.value } = {}) {
  select.replaceChildren(
    ...groups.flatMap(({ label, options }) => {
      const made = options.map(({ value, text }) => make("option", { value }, text));
      return label && made.length ? [make("optgroup", { label }, ...made)] : made;
    }),
  );
  if ([...select.options].some((option) => option.value === chosen)) select.value = chosen;
}

/** A state as a word with its own shape, never a colour alone. */
export function badge(state) {
  return make("span", { class: `badge ${state}`, part: `badge badge-${state}` }, TEXT_OF_STATE[state] ?? state);
}

export function counted(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** "about 2 min", or nothing where it was not measured. */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 10) return "a few seconds left";
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} s left`;
  return seconds < 5400 ? `about ${Math.round(seconds / 60)} min left` : `about ${Math.round(seconds / 3600)} h left`;
}
