// <goldsmith-model-selector>: a model to choose in the application's own form. It takes part in the form like a select:
// `name`, `value`, `required`, `disabled`, validity, reset. Attributes `label`: what stands above it.

import { fill, make, Part } from "./part.js";

export class ModelSelector extends Part {
  static formAssociated = true;
  static observedAttributes = [...Part.observedAttributes, "value", "label", "required"];
  static title = "Model";

  #internals = this.attachInternals();
  #value = "";
  #isTouched = false;
  #parts = this.#build();

  /** The chosen model's id. */
  get value() {
    return this.#value;
  }
  set value(value) {
    this.#isTouched = true;
    this.#take(value ?? "");
  }

  get form() {
    return this.#internals.form;
  }
  get name() {
    return this.getAttribute("name") ?? "";
  }
  set name(value) {
    this.setAttribute("name", value);
  }
  get validity() {
    return this.#internals.validity;
  }
  get validationMessage() {
    return this.#internals.validationMessage;
  }
  checkValidity() {
    return this.#internals.checkValidity();
  }
  reportValidity() {
    return this.#internals.reportValidity();
  }

  /** The chosen model as `GET /api/models/available` lists it, or null. */
  get model() {
    return this.connection?.now?.models.find((each) => each.id === this.#value) ?? null;
  }

  attributeChangedCallback(name, before, after) {
    if (name === "value" && !this.#isTouched) this.#take(after ?? "");
    super.attributeChangedCallback(name, before, after);
  }

  connectedCallback() {
    this.setAttribute("bare", "");
    this.headline.hidden = true;
    super.connectedCallback();
    this.#check();
  }

  formResetCallback() {
    this.#isTouched = false;
    this.#take(this.getAttribute("value") ?? "");
  }
  formStateRestoreCallback(state) {
    this.value = state;
  }
  formDisabledCallback(isDisabled) {
    this.#parts.select.disabled = isDisabled;
  }

  sees(now) {
    return now.models;
  }

  paint(now) {
    this.#parts.label.textContent = this.getAttribute("label") ?? this.constructor.title;
    const option = (each) => ({ value: each.id, text: `${each.name}${each.status === "deployed" ? "" : " (not loaded)"}` });
    const of = (type) => now.models.filter((each) => each.type === type).map(option);
    const isGone = this.#value && !now.models.some((each) => each.id === this.#value);
    const groups = [
      { options: [{ value: "", text: now.models.length ? "Choose a model" : "There is no model yet" }] },
      { options: isGone ? [{ value: this.#value, text: "A model that is not there any more" }] : [] },
      { label: "Fine-tuned models", options: of("fine_tuned") },
      { label: "Base models", options: of("base") },
    ];
    fill(this.#parts.select, groups, { chosen: this.#value });
    this.#describe();
  }

  #build() {
    const select = make("select", { id: "model", part: "select", "aria-describedby": "about", onchange: () => this.#choose(select.value) });
    const label = make("label", { for: "model", part: "label" });
    const about = make("small", { id: "about", class: "second", part: "about" });
    this.body.append(make("p", { class: "field", part: "field" }, label, select, about));
    return { select, label, about };
  }

  /** Somebody has chosen by hand. */
  #choose(value) {
    this.value = value;
    const { id = "", name = "", type = "", status = "" } = this.model ?? {};
    this.dispatchEvent(new Event("change", { bubbles: true }));
    this.tell("goldsmith-model-selected", { id, name, type, status });
  }

  #take(value) {
    this.#value = value;
    this.#internals.setFormValue(value);
    this.#check();
    if (this.connection?.now) this.paint(this.connection.now);
  }

  #check() {
    const isMissing = this.hasAttribute("required") && !this.#value;
    this.#internals.setValidity(isMissing ? { valueMissing: true } : {}, isMissing ? "Choose a model." : "", this.#parts.select);
    this.#parts.select.required = this.hasAttribute("required");
  }

  #describe() {
    const model = this.model;
    const rate = model?.win_rate ?? null;
    const about = !model ? "" : model.status === "deployed" ? "It answers now." : "It is loaded when it is first asked, which may take a minute.";
    const better = rate === null ? "" : ` Against its base model it has a win rate of ${Math.round(rate * 100)} %.`;
    this.#parts.about.textContent = about + better;
  }
}
