// <goldsmith-progress>: one training as it goes: step, loss, time left, and its brakes. Attribute `training`: which one;
// without it the one at work, else the newest.

import { AT_WORK, badge, make, Part, timeLeft } from "./part.js";

export class Progress extends Part {
  static observedAttributes = [...Part.observedAttributes, "training"];
  static title = "Progress";

  #states = new Map();

  get training() {
    return this.getAttribute("training") ?? "";
  }
  set training(value) {
    this.toggleAttribute("training", Boolean(value));
    if (value) this.setAttribute("training", value);
  }

  sees(now) {
    for (const each of now.trainings) this.#notice(each);
    return [now.may, this.#chosen(now)];
  }

  paint(now) {
    const training = this.#chosen(now);
    if (!training) {
      const text = this.training ? "There is no such training." : "No training yet. Its steps and its time left will stand here.";
      this.body.replaceChildren(make("p", {}, text));
      return;
    }
    const focused = this.shadowRoot.activeElement?.dataset.verb;
    const meter = make("progress", { max: 1, value: training.progress, "aria-label": `Progress of ${training.name}`, part: "meter" });
    const figures = make("p", { class: "number", part: "figures" }, figuresOf(training));
    this.body.replaceChildren(
      make("p", { class: "actions" }, make("h3", { part: "name" }, training.name), badge(training.state)),
      ...(training.state === "succeeded" ? [] : [meter]),
      figures,
      make("p", { class: "second" }, aboutOf(training)),
      make("p", { class: "actions" }, ...this.#buttons(training)),
    );
    if (focused) (this.shadowRoot.querySelector(`[data-verb=${focused}]`) ?? this.shadowRoot.querySelector("button"))?.focus();
    this.announce(`${training.name}: ${training.state}. ${figuresOf(training)}`, { isRunning: training.state === "running" });
  }

  #chosen(now) {
    if (this.training) return now.trainings.find((each) => each.id === this.training);
    return now.trainings.find((each) => AT_WORK.includes(each.state)) ?? now.trainings[0];
  }

  #buttons(training) {
    if (!this.may("train")) return [];
    const verbs = { paused: ["resume", "cancel"], failed: ["resume"], cancelled: ["resume"], succeeded: [] };
    const words = { pause: "Pause", cancel: "Cancel", resume: "Go on" };
    return (verbs[training.state] ?? (training.stop_requested ? [] : ["pause", "cancel"])).map((verb) => {
      const press = (event) => this.act(event.currentTarget, `trainings/${training.id}/${verb}`);
      return make("button", { type: "button", part: "button", "data-verb": verb, onclick: press }, words[verb]);
    });
  }

  /** The application hears when a training's state changes while this part is there. */
  #notice(training) {
    const before = this.#states.get(training.id);
    this.#states.set(training.id, training.state);
    if (before === undefined || before === training.state) return;
    const { id, name, state, output_model_id: modelId } = training;
    this.tell("goldsmith-training-changed", { id, name, state, modelId });
  }
}

function figuresOf(training) {
  const parts = [];
  if (training.current_step !== null) parts.push(`Step ${training.current_step} of ${training.total_steps ?? "?"}`);
  if (training.training_loss !== null) parts.push(`loss ${training.training_loss.toPrecision(3)}`);
  if (training.validation_loss !== null) parts.push(`exam loss ${training.validation_loss.toPrecision(3)}`);
  if (training.state === "running" && timeLeft(training.seconds_left)) parts.push(timeLeft(training.seconds_left));
  return parts.join(" · ") || "Nothing was measured yet.";
}

function aboutOf(training) {
  if (training.trouble) return `${training.trouble.summary} ${training.trouble.hint}`;
  if (training.stop_requested && AT_WORK.includes(training.state)) return "It saves after the current step, and then stops.";
  const about = {
    queued: "It begins when the machine is free. You can close this page; it goes on.",
    running: "You can close this page; it goes on. The last saved step is kept whatever happens.",
    paused: "The last saved step is kept; it goes on from there.",
    cancelled: "The last saved step is kept; it can go on from there.",
    succeeded: "The model is there. Deploy it, then compare it with its base model.",
  };
  return about[training.state] ?? "";
}
