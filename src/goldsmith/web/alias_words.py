"""An entry of the history of what is live in words, for every page that shows one. Knows no page."""

from collections.abc import Iterable, Mapping
from typing import Final

from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import DEFAULT_ALIAS, HistoryAction, Part, parts_of

_DEEDS: Final[Mapping[str, str]] = {
    HistoryAction.DEPLOY.value: "put on the engine",
    HistoryAction.UNDEPLOY.value: "taken off the engine",
    HistoryAction.CRASH.value: "its engine died",
    HistoryAction.RESTART.value: "its engine answers again",
}
_SENTENCES: Final[Mapping[str, str]] = {
    HistoryAction.DEPLOY.value: "{name} was deployed",
    HistoryAction.UNDEPLOY.value: "{name} was taken off the engine",
    HistoryAction.CRASH.value: "The engine of {name} died",
    HistoryAction.RESTART.value: "The engine of {name} answers again",
}


def percent(share: float) -> str:
    """0.05 → 5 %; 0.333333 → 33.3333 %."""
    return f"{100 * share:.6g} %"


def shares(parts: Iterable[Part], names: Mapping[str, str]) -> str:
    """support-2, or: 90 % support-1, 10 % support-2."""
    found = sorted(parts, key=lambda part: -part.share)
    if len(found) == 1:
        return names.get(found[0].model_id, found[0].model_id)
    return ", ".join(f"{percent(part.share)} {names.get(part.model_id, part.model_id)}" for part in found)


def change(entry: DeploymentHistory, names: Mapping[str, str]) -> str:
    """What an entry of the history did to an alias, with what was there before."""
    config, alias = entry.deployment_config, entry.deployment_config["alias"]
    previous = ((entry.previous_model_id, 1.0),) if entry.previous_model_id else ()
    old = parts_of(config["from"]) if "from" in config else tuple(Part(*each) for each in previous)
    new = parts_of(config["to"]) if "to" in config else (Part(entry.model_id, 1.0),)
    before = f", before: {shares(old, names)}" if old else ""
    if not new:
        return f"{alias} was removed{before}"
    word = "again leads to" if entry.action == HistoryAction.ROLLBACK.value else "leads to"
    forced = ", forced without proof" if config.get("forced") else ""
    return f"{alias} {word} {shares(new, names)}{forced}{before}"


def title(entry: DeploymentHistory, names: Mapping[str, str]) -> str:
    """The same in a few words, about the model that it is about."""
    name, alias = names.get(entry.model_id, entry.model_id), entry.deployment_config["alias"]
    whole = [part for part in parts_of(entry.deployment_config.get("to", ())) if part.share < 1]
    if not whole and alias == DEFAULT_ALIAS:
        return f"{name} became the default"
    return change(entry, names).partition(", before")[0]


def deed(entry: DeploymentHistory) -> str:
    """What was done to a model, on that model's own page."""
    return _DEEDS.get(entry.action, entry.action)


def sentence(entry: DeploymentHistory, names: Mapping[str, str]) -> str:
    """What happened, where it stands among other things."""
    name = names.get(entry.model_id, entry.model_id)
    if entry.deployment_config.get("alias"):
        return title(entry, names)
    return _SENTENCES.get(entry.action, "{name} was brought back").replace("{name}", name)
