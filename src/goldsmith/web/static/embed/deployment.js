// <goldsmith-deployment>: which fine-tuned models answer now; puts one on its engine, and takes it off again.

import { badge, make, Part } from "./part.js";

export class Deployment extends Part {
  static title = "Models at work";

  #wereLive = null;

  sees(now) {
    this.#notice(now);
    return [now.may, tuned(now), now.deployments];
  }

  paint(now) {
    const models = tuned(now);
    if (!models.length) {
      this.body.replaceChildren(make("p", {}, "No fine-tuned model yet. One appears here when a training has succeeded."));
      return;
    }
    const focused = this.shadowRoot.activeElement?.dataset.model;
    const found = new Map(now.deployments.map((each) => [each.model_id, each]));
    this.body.replaceChildren(make("ul", { part: "list" }, ...models.map((each) => this.#line(each, found.get(each.id)))));
    if (focused) this.shadowRoot.querySelector(`[data-model="${focused}"]`)?.focus();
  }

  #line(model, deployment) {
    const about = deployment?.names.length ? ` Callers get it as ${deployment.names.join(", ")}.` : "";
    return make(
      "li",
      { part: "model" },
      make("div", {}, make("h3", { part: "name" }, model.name), standing(deployment), make("small", { class: "second" }, `From ${model.base_model}.${about}`)),
      make("div", { class: "actions" }, ...this.#buttons(model, deployment)),
    );
  }

  #buttons(model, deployment) {
    if (!this.may("deploy") || deployment?.names.length) return [];
    const isThere = deployment && !deployment.has_failed;
    const [text, path] = isThere ? ["Take it off", "deployments/undo"] : ["Deploy", "deployments"];
    const press = async (event) => {
      const done = await this.act(event.currentTarget, path, { model_id: model.id });
      if (!done) return;
      this.announce(isThere ? `${model.name} was taken off its engine.` : `${model.name} is being loaded.`);
      if (isThere) this.tell("goldsmith-undeployed", { modelId: model.id, name: model.name });
    };
    const label = isThere ? `Take ${model.name} off its engine` : `Deploy ${model.name}`;
    const look = isThere ? {} : { class: "primary" };
    return [make("button", { type: "button", part: isThere ? "button" : "button button-primary", "data-model": model.id, "aria-label": label, onclick: press, ...look }, text)];
  }

  /** The application hears when a model begins to answer while this part is there. */
  #notice(now) {
    const live = new Set(now.deployments.filter((each) => each.is_live).map((each) => each.model_id));
    for (const id of this.#wereLive ? live : []) {
      if (this.#wereLive.has(id)) continue;
      const name = now.models.find((each) => each.id === id)?.name ?? id;
      this.announce(`${name} answers now.`);
      this.tell("goldsmith-deployed", { modelId: id, name });
    }
    this.#wereLive = live;
  }
}

export function tuned(now) {
  return now.models.filter((each) => each.type === "fine_tuned");
}

function standing(deployment) {
  const shown = (state, text) => make("span", { class: `badge ${state}`, part: `badge badge-${state}` }, text);
  if (!deployment) return shown("off", "not deployed");
  if (deployment.has_failed) return shown("failed", deployment.proof === "refused" ? "taken off: its proof failed" : "could not be loaded");
  if (!deployment.is_live) return badge("starting");
  return deployment.proof === "proved" ? shown("proved", "answers now, proved") : shown("loaded", "answers now, being proved");
}
