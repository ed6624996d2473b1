// <goldsmith-training-job>: what to train on what, how thoroughly, and the button that starts it.

import { rowsOf } from "./dataset-export.js";
import { field, fill, make, Part } from "./part.js";

const DIAL = [
  ["quick", "Quick", "Some minutes: shows whether the rows teach anything."],
  ["balanced", "Balanced", "What most trainings need."],
  ["thorough", "Thorough", "More rounds and a larger adapter: for many rows or hard tasks."],
];

export class TrainingJob extends Part {
  static title = "Training";

  #parts = null;
  #hasChosen = false;

  sees(now) {
    return [now.may, now.training_sets, bases(now).map((each) => [each.id, each.name])];
  }

  paint(now) {
    const parts = (this.#parts ??= this.#build());
    const sets = now.training_sets.map((each) => ({ value: each.id, text: `${each.name} (${rowsOf(each)})` }));
    const models = bases(now).map((each) => ({ value: each.id, text: each.name }));
    fill(parts.set, [{ options: sets }], this.#hasChosen ? {} : { chosen: sets[0]?.value });
    fill(parts.base, [{ options: models }]);
    const why = whyNot(sets, models, this.may("train"));
    parts.button.disabled = Boolean(why);
    parts.why.textContent = why || "It takes its turn on Goldsmith's machine. You can close this page meanwhile.";
  }

  #build() {
    const set = make("select", { id: "set", required: true, onchange: () => (this.#hasChosen = true) });
    const base = make("select", { id: "base", required: true });
    const name = make("input", { id: "name", maxlength: 255, autocomplete: "off" });
    const button = make("button", { type: "submit", class: "primary", part: "button button-primary", "aria-describedby": "why" }, "Train");
    const why = make("p", { id: "why", class: "second" });
    const dial = make(
      "fieldset",
      { part: "dial" },
      make("legend", {}, "How thoroughly"),
      ...DIAL.map(([value, text, about]) =>
        make(
          "label",
          { class: "choice", part: "choice" },
          make("input", { type: "radio", name: "dial", value, checked: value === "balanced" }),
          make("span", {}, text),
          make("small", { class: "second" }, about),
        ),
      ),
    );
    const form = make(
      "form",
      { onsubmit: (event) => this.#train(event) },
      field("Training set", set),
      field("Base model", base, { help: "What the training starts from." }),
      dial,
      field("Name of the new model (optional)", name),
      make("p", { class: "actions" }, button),
      why,
    );
    this.body.append(form);
    return { set, base, name, button, why, form };
  }

  async #train(event) {
    event.preventDefault();
    const { set, base, name, button, form } = this.#parts;
    const dial = new FormData(form).get("dial");
    const body = { training_set: set.value, base_model: base.value, dial, name: name.value.trim() || null };
    const made = await this.act(button, "trainings", body);
    if (!made) return;
    name.value = "";
    this.#hasChosen = false;
    this.announce(`The training ${made.name} waits for its turn.`);
    this.tell("goldsmith-training-started", { id: made.id, name: made.name, trainingSetId: made.training_set_id });
  }
}

function bases(now) {
  return now.models.filter((each) => each.type === "base");
}

function whyNot(sets, models, isAllowed) {
  if (!isAllowed) return "This page may look, but start no training.";
  if (!sets.length) return "There is no training set yet: make one of the gold stars first.";
  if (!models.length) return "There is no base model yet: whoever runs Goldsmith brings one in on its Models page.";
  return "";
}
