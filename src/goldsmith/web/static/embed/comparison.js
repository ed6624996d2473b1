// <goldsmith-comparison>: a fine-tuned model beside its base model: the verdict, or how far it is. Attribute `model`:
// which model is chosen at first.

import { tuned } from "./deployment.js";
import { AT_WORK, badge, counted, field, fill, make, Part } from "./part.js";

export class Comparison extends Part {
  static observedAttributes = [...Part.observedAttributes, "model"];
  static title = "Comparison";

  #parts = null;
  #states = new Map();

  get model() {
    return this.#parts?.select.value ?? this.getAttribute("model") ?? "";
  }
  set model(value) {
    this.setAttribute("model", value ?? "");
  }

  attributeChangedCallback(name, before, after) {
    if (name === "model" && this.#parts && after) this.#parts.select.value = after;
    super.attributeChangedCallback(name, before, after);
  }

  sees(now) {
    for (const each of now.comparisons) this.#notice(each);
    return [now.may, tuned(now).map((each) => [each.id, each.name]), now.comparisons];
  }

  paint(now) {
    const models = tuned(now);
    const parts = (this.#parts ??= this.#build());
    parts.empty.hidden = models.length > 0;
    parts.form.hidden = !models.length;
    const chosen = parts.select.value || this.getAttribute("model") || "";
    fill(parts.select, [{ options: models.map((each) => ({ value: each.id, text: each.name })) }], { chosen });
    const found = now.comparisons.find((each) => each.model_id === parts.select.value);
    const isAtWork = found && AT_WORK.includes(found.state);
    parts.button.disabled = isAtWork || !this.may("compare");
    parts.button.classList.toggle("primary", !found?.sentence);
    parts.why.textContent = whyOf(isAtWork, this.may("compare"));
    parts.result.replaceChildren(...(models.length ? resultOf(found) : []));
  }

  #build() {
    const select = make("select", { id: "model", onchange: () => this.show({ anew: true }) });
    const button = make("button", { type: "submit", class: "primary", part: "button button-primary", "aria-describedby": "why" }, "Compare with its base model");
    const why = make("p", { id: "why", class: "second" });
    const empty = make("p", {}, "No fine-tuned model yet. One can be compared when a training has succeeded.");
    const result = make("div", { part: "result" });
    const form = make("form", { onsubmit: (event) => this.#compare(event) }, field("Fine-tuned model", select), result, make("p", { class: "actions" }, button), why);
    this.body.append(empty, form);
    return { select, button, why, empty, result, form };
  }

  async #compare(event) {
    event.preventDefault();
    const made = await this.act(this.#parts.button, "comparisons", { model_id: this.#parts.select.value });
    if (!made) return;
    this.announce(`The comparison has begun: ${counted(made.test_count, "exam row")}.`);
    this.tell("goldsmith-comparison-started", { id: made.id, modelId: made.model_id });
  }

  #notice(comparison) {
    const before = this.#states.get(comparison.id);
    this.#states.set(comparison.id, comparison.state);
    if (before === undefined || before === comparison.state || AT_WORK.includes(comparison.state)) return;
    const { id, model_id: modelId, state, kind, sentence, win_rate: winRate } = comparison;
    this.announce(sentence || `The comparison has ${state}.`);
    this.tell("goldsmith-comparison-ended", { id, modelId, state, kind, winRate });
  }
}

function whyOf(isAtWork, isAllowed) {
  if (!isAllowed) return "This page may look, but start no comparison.";
  if (isAtWork) return "One is under way. You can close this page; it goes on.";
  return "Both are asked the exam rows, which the model never learned from.";
}

function resultOf(comparison) {
  if (!comparison) return [make("p", {}, "It was not compared yet.")];
  if (comparison.sentence) {
    const { fine_tuned_wins: wins, base_model_wins: losses, ties, win_rate: rate, test_count: all } = comparison;
    const counts = wins === null ? "" : `Better on ${wins}, equal on ${ties}, worse on ${losses} of ${counted(all, "exam row")}.`;
    const share = rate === null ? "" : ` Win rate ${Math.round(rate * 100)} % (wins and half of the equal ones).`;
    return [
      make("p", { class: `verdict ${comparison.kind}`, part: `verdict verdict-${comparison.kind}` }, comparison.sentence),
      make("p", { class: "second number", part: "figures" }, counts + share),
    ];
  }
  if (comparison.trouble) return [make("p", {}, badge(comparison.state)), make("p", {}, `${comparison.trouble.summary} ${comparison.trouble.hint}`)];
  return [
    make("p", {}, badge(comparison.state), " No verdict before the end."),
    make("progress", { max: 1, value: comparison.progress, "aria-label": "Progress of the comparison", part: "meter" }),
  ];
}
