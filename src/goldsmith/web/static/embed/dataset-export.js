// <goldsmith-dataset-export>: how many gold stars there are, and the training set that they become.

import { counted, field, make, Part } from "./part.js";

export class DatasetExport extends Part {
  static title = "Training set";

  #parts = null;

  sees(now) {
    this.connection.countStars();
    return [now.may, now.training_sets[0], this.connection.stars, this.connection.starTrouble?.message];
  }

  paint(now) {
    const parts = (this.#parts ??= this.#build());
    const { stars, starTrouble } = this.connection;
    const count = stars?.count ?? 0;
    parts.count.textContent = stars ? counted(count, "gold star") : starTrouble ? "Not known how many gold stars" : "Counting the gold stars…";
    parts.about.textContent = stars ? aboutStars(stars) : (starTrouble?.hint ?? "");
    parts.system.hidden = !stars?.asks_system_text;
    const isAllowed = this.may("export");
    parts.button.disabled = !count || !isAllowed;
    parts.why.textContent = isAllowed ? "A part is kept back as an exam. Nothing is trained yet." : "This page may look, but make no training set.";
    const [newest] = now.training_sets;
    parts.newest.textContent = newest ? `The newest: ${newest.name}, ${rowsOf(newest)}.` : "There is no training set yet.";
  }

  #build() {
    const name = make("input", { id: "name", maxlength: 255, autocomplete: "off" });
    const system = make("textarea", { id: "system" });
    const help = "Some answers were kept without it. Write the very text that your application sends, or leave it empty if it sends none.";
    const parts = {
      count: make("p", { class: "count number", part: "count" }),
      about: make("p", { class: "second" }),
      system: make("div", { hidden: true }, field("System message", system, { help })),
      button: make("button", { type: "submit", class: "primary", part: "button button-primary", "aria-describedby": "why" }, "Make a training set"),
      why: make("p", { id: "why", class: "second" }),
      newest: make("p", { part: "newest" }),
    };
    const again = make("button", { type: "button", part: "button", onclick: () => this.connection.countStars({ again: true }) }, "Count again");
    const form = make(
      "form",
      { onsubmit: (event) => this.#export(event, { name: name.value.trim() || null, system_message: parts.system.hidden ? null : system.value }) },
      field("Name of the training set (optional)", name),
      parts.system,
      make("p", { class: "actions" }, parts.button, again),
      parts.why,
    );
    this.body.append(parts.count, parts.about, form, parts.newest);
    return parts;
  }

  async #export(event, body) {
    event.preventDefault();
    const made = await this.act(this.#parts.button, "training-sets", body);
    await this.connection?.countStars({ again: true });
    if (!made) return;
    this.announce(`The training set ${made.name} is there, with ${rowsOf(made)}.`);
    this.tell("goldsmith-exported", { id: made.id, name: made.name, numLearn: made.num_learn, numExam: made.num_exam });
  }
}

function aboutStars(stars) {
  if (!stars.count) return stars.reason;
  const left = stars.num_left_out ? ` ${counted(stars.num_left_out, "star")} cannot be used: prompt or answer is missing.` : "";
  return `Given in ${stars.source}.${left}`;
}

export function rowsOf(set) {
  return `${counted(set.num_learn, "row")} to learn and ${counted(set.num_exam, "exam row")}`;
}
