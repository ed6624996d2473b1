"""What it means when a provider refuses a training, and what a person does about it. Pure."""

import re

from goldsmith.trainers._provider import Refused
from goldsmith.trainers._report import Failure

OPENAI = "api.openai.com"
TRAIN_HERE = (
    "Train the same rows on this machine instead: choose the backend trl and a base model of your own. "
    "Nothing has to be starred again."
)
CLOSING = (
    "OpenAI has closed fine-tuning for most organisations since July 2026, and closes it for all in January 2027. "
)
_TRAINING = re.compile(r"fine[- _]?tun", re.IGNORECASE)
_CLOSED = re.compile(
    r"no longer|not (?:currently )?(?:available|accessible|eligible|allowed|supported)|unavailable|clos(?:ed|ing)|"
    r"w(?:ind|ound)(?:ing)? down|deprecat|discontinu|sunset|retired|shut(?:ting)? down|existing (?:users|customers)|"
    r"new (?:users|org)",
    re.IGNORECASE,
)
_RIGHTS = re.compile(r"scope|insufficient permissions|\brole\b", re.IGNORECASE)


def failure_of(refused: Refused, host: str, *, is_create: bool = False) -> Failure:
    """The refusal in words."""
    said = f"{host} says: {refused.words}"
    is_about_model = refused.code.startswith("model_")
    if not is_about_model and is_closed(refused, is_create=is_create):
        hint = f"{CLOSING if host == OPENAI else ''}{TRAIN_HERE}"
        return Failure("provider_closed", f"{host} does not train models for this key. {said}", hint)
    if refused.status in (401, 403):
        hint = "Make a key there that may upload files and fine-tune, and add the provider again with it."
        return Failure("key_refused", f"{host} does not accept the key. {said}", hint)
    if refused.status in (402, 429):
        hint = f"Settle it there, then resume: the files that were sent are used again. {TRAIN_HERE}"
        return Failure("no_credit", f"{host} has no credit left for this key. {said}", hint)
    if is_create and is_about_model:
        hint = "Choose a model that can be fine-tuned there; add it as a provider of its own under Settings."
        return Failure("model_not_trainable", f"{host} cannot train this model. {said}", hint)
    if refused.status in (404, 405, 501):
        hint = f"Check the address under Settings: not every provider offers fine-tuning. {TRAIN_HERE}"
        return Failure("no_fine_tuning", f"{host} does not know this part of OpenAI's API. {said}", hint)
    return Failure(
        "refused", f"{host} refuses the training. {said}", "Change what it names, and start another training."
    )


def is_closed(refused: Refused, *, is_create: bool) -> bool:
    """Whether it does not train at all any more, or not for this organisation."""
    if refused.status not in (400, 403, 404, 410) or _RIGHTS.search(refused.words):
        return False
    if _TRAINING.search(f"{refused.words} {refused.code}") and _CLOSED.search(refused.words):
        return True
    return is_create and refused.status in (403, 410)
