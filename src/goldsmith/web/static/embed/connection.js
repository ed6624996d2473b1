// The one connection of a page to Goldsmith: every part that shows the same person's things shares it, so that a page
// asks once for all of them. It knows tokens and answers; what a part shows of them is its own affair.

export const HOME = new URL(import.meta.url).origin;
const MOVING_MS = 1000;
const STILL_MS = 5000;
const LONGEST_WAIT_MS = 30000;
const RENEW_BEFORE_S = 60;
const AT_WORK = ["queued", "starting", "running"];

const connections = new Map();
let pageToken = "";
const waiting = new Set();

/** The connection of a token; another token of the same person renews it. */
export function connectionFor(address, token) {
  const said = read(token);
  const key = [address, said.philosopher, said.domain].join("\n");
  if (!connections.has(key)) connections.set(key, new Connection(address));
  const found = connections.get(key);
  found.offer(token);
  return found;
}

/** Give every part of the page that has no token of its own this one. */
export function setToken(token) {
  pageToken = token;
  for (const part of [...waiting]) part.join();
}

/** The page's token, and who wants to hear of the next one. */
export function tokenOfThePage(part) {
  waiting.add(part);
  return pageToken;
}

export function forget(part) {
  waiting.delete(part);
}

/** What went wrong, as Goldsmith says it. */
export class Trouble extends Error {
  constructor(said) {
    super(said.detail ?? said.title);
    this.title = said.title;
    this.hint = said.hint ?? "";
    this.isToken = said.status === 401;
  }
}

class Connection extends EventTarget {
  now = null;
  trouble = null;
  stars = null;
  starTrouble = null;

  #address;
  #token = "";
  #parts = new Set();
  #timer = 0;
  #asking = null;
  #counting = null;
  #numFailures = 0;
  #hasWarned = false;
  #lifeS = 0;

  constructor(address) {
    super();
    this.#address = address;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  join(part) {
    this.#parts.add(part);
    this.#soon(0);
  }

  leave(part) {
    this.#parts.delete(part);
    if (!this.#parts.size) clearTimeout(this.#timer);
  }

  /** Take a token, unless it ends sooner than the one that is in use. */
  offer(token) {
    if (token === this.#token || read(token).until < read(this.#token).until) return;
    this.#token = token;
    this.#hasWarned = false;
    this.#lifeS = 0;
    if (this.trouble?.isToken) this.trouble = null;
    if (this.#parts.size) this.#soon(0);
  }

  /** Ask now, and once more if something is being asked already. */
  async refresh() {
    if (!this.#parts.size) return;
    if (this.#asking) await this.#asking;
    this.#asking ??= this.#look();
    await this.#asking;
  }

  /** How many stars there are; asked for when a part wants to know, and not again until it is told to. */
  countStars({ again = false } = {}) {
    if (!this.#counting || again) this.#counting = this.#count();
    return this.#counting;
  }

  async #count() {
    try {
      this.stars = await this.ask("stars");
      this.starTrouble = null;
    } catch (error) {
      this.starTrouble = error;
    }
    this.#tellParts();
  }

  async ask(path, body) {
    const init = { headers: { authorization: `Bearer ${this.#token}` }, credentials: "omit", cache: "no-store" };
    if (body) {
      init.method = "POST";
      init.headers["content-type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let answer;
    try {
      answer = await fetch(`${this.#address}/v1/embed/${path}`, init);
    } catch {
      throw new Trouble({ title: "Goldsmith does not answer", hint: "It is asked again by itself." });
    }
    const said = await answer.json().catch(() => ({ title: "Goldsmith's answer cannot be read" }));
    if (!answer.ok) throw new Trouble({ ...said, status: answer.status });
    return said;
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      this.now = await this.ask("now");
      this.trouble = null;
      this.#numFailures = 0;
    } catch (error) {
      this.trouble = error;
      this.#numFailures += 1;
    }
    this.#asking = null;
    this.#tellParts();
    this.#warn();
    if (!this.trouble?.isToken) this.#soon(this.#pause());
  }

  #pause() {
    if (this.trouble) return Math.min(LONGEST_WAIT_MS, MOVING_MS * 2 ** this.#numFailures);
    return isMoving(this.now) ? MOVING_MS : STILL_MS;
  }

  #soon(milliseconds) {
    clearTimeout(this.#timer);
    if (document.hidden && milliseconds) return;
    this.#timer = setTimeout(() => this.refresh(), milliseconds);
  }

  #tellParts() {
    for (const part of this.#parts) part.show();
  }

  /** One event a page and token, told by the first of its parts. */
  #warn() {
    const isOver = Boolean(this.trouble?.isToken);
    const secondsLeft = isOver ? 0 : (this.now?.seconds_left ?? Infinity);
    this.#lifeS ||= secondsLeft;
    if (this.#hasWarned || secondsLeft > Math.min(RENEW_BEFORE_S, this.#lifeS / 4)) return;
    this.#hasWarned = true;
    const [first] = this.#parts;
    first?.tell("goldsmith-token-expiring", { isOver, secondsLeft, renew: (token) => this.offer(token) });
  }
}

function isMoving(now) {
  return (
    now.trainings.some((each) => AT_WORK.includes(each.state)) ||
    now.comparisons.some((each) => AT_WORK.includes(each.state)) ||
    now.deployments.some((each) => !each.has_failed && (!each.is_live || ["unproved", "proving"].includes(each.proof)))
  );
}

/** What a token says of itself. Only Goldsmith can tell whether it is true. */
function read(token) {
  try {
    const text = token.replace(/^gse_/, "").split(".")[0].replaceAll("-", "+").replaceAll("_", "/");
    const said = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), (sign) => sign.codePointAt(0))));
    return { philosopher: said.philosopher, domain: said.domain, until: Date.parse(said.until) };
  } catch {
    return { philosopher: token, domain: "", until: 0 };
  }
}
