"""The verbs of shadows: have a model answer along, stop it, store pairs, forget them, make a dataset of them."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from goldsmith.data import service as data
from goldsmith.data.tables import DatasetVersion
from goldsmith.data.types import ImportRequest
from goldsmith.models import queries as models
from goldsmith.people.types import Person
from goldsmith.serve import aliases
from goldsmith.serve import queries as serve
from goldsmith.serve.kept.reading import said
from goldsmith.serve.kept.types import MAX_DAYS
from goldsmith.serve.shadow import queries
from goldsmith.serve.shadow.errors import NoPairs, ShadowNotUsable
from goldsmith.serve.shadow.tables import ShadowPair, ShadowRule
from goldsmith.serve.shadow.types import MAX_AT_ONCE, MAX_WITHIN_S, Pair, Shadow
from goldsmith.serve.types import parts_of
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id

MAX_ROWS = 10_000


def answer_along(session: Session, alias: str, shadow: Shadow, *, by: Person) -> ShadowRule:
    """From now on this model answers a copy of the alias's requests. `shadow.model_id` may be a name.

    Raises AliasNotFound, ModelNotFound, DeploymentNotFound, ShadowNotUsable.
    """
    found = aliases.one(session, alias, domain=by.domain)
    model = models.any_model(session, shadow.model_id, domain=by.domain)
    _check(shadow)
    if not serve.deployment_of(session, model.id).is_wanted:
        raise ShadowNotUsable(f"{model.name} is not deployed.")
    if [part.model_id for part in parts_of(found.targets)] == [model.id]:
        raise ShadowNotUsable(f"{alias} leads to {model.name} itself.")
    rule = session.get(ShadowRule, (by.domain, alias))
    if rule is None:
        rule = ShadowRule(domain=by.domain, alias=alias)
        session.add(rule)
    rule.model_id, rule.share, rule.max_at_once = model.id, shadow.share, shadow.max_at_once
    rule.within_s, rule.days, rule.hides = shadow.within_s, shadow.days, [each.value for each in shadow.hides]
    rule.num_dropped, rule.changed_by, rule.changed_at = 0, by.id, clock.now()
    session.flush()
    return rule


def stop(session: Session, alias: str, *, by: Person) -> ShadowRule:
    """It answers along no more; the pairs stay until their days are over. Raises ShadowNotFound."""
    rule = queries.one(session, alias, domain=by.domain)
    rule.share, rule.changed_by, rule.changed_at = 0.0, by.id, clock.now()
    session.flush()
    return rule


def remove_alias(session: Session, alias: str, *, by: Person, why: str = "") -> None:
    """Take a name away, and stop the model that answers along for it; it would go on unseen when the name comes back.

    Raises AliasNotFound, DefaultStays.
    """
    aliases.remove(session, alias, by=by, why=why)
    if session.get(ShadowRule, (by.domain, alias)) is not None:
        stop(session, alias, by=by)


def store(session: Session, pairs: Iterable[Pair], dropped: Mapping[tuple[str, str], int]) -> int:
    """Write what a gateway handed over; returns how many. What is no question with an answer in words is left out."""
    rows = [row for pair in pairs if (row := _row(pair)) is not None]
    session.add_all(rows)
    for (domain, alias), number in dropped.items():
        is_meant = (ShadowRule.domain == domain, ShadowRule.alias == alias)
        session.execute(update(ShadowRule).where(*is_meant).values(num_dropped=ShadowRule.num_dropped + number))
    session.flush()
    return len(rows)


def forget_old(session: Session, now: datetime) -> int:
    """Delete pairs whose days are over; returns how many."""
    num = 0
    for rule in session.query(ShadowRule).all():
        is_old = ShadowPair.at < now - timedelta(days=rule.days)
        is_meant = (ShadowPair.domain == rule.domain, ShadowPair.alias == rule.alias, is_old)
        num += session.execute(delete(ShadowPair).where(*is_meant)).rowcount  # type: ignore[attr-defined]
    return num


def forget_all(session: Session, alias: str, *, by: Person) -> int:
    """Delete an alias's pairs now; returns how many."""
    is_meant = (ShadowPair.domain == by.domain, ShadowPair.alias == alias)
    return int(session.execute(delete(ShadowPair).where(*is_meant)).rowcount)  # type: ignore[attr-defined]


def make_dataset(session: Session, home: Home, alias: str, *, by: Person, name: str = "") -> DatasetVersion:
    """A dataset of what was asked, with both answers beside it; each question once. Raises NoPairs."""
    called = name or f"both answers of {alias}"
    found = queries.newest(session, alias, domain=by.domain, limit=MAX_ROWS)
    content = "".join(_lines(pair for some in found for pair in some))
    if not content:
        raise NoPairs("There are no pairs of which a dataset could be made.")
    upload = data.save_upload(home, io.BytesIO(content.encode()), f"{called}.jsonl")
    return data.start_import(session, ImportRequest(upload, called, format="jsonl"), by=by)[0]


def _check(shadow: Shadow) -> None:
    is_fine = 0 < shadow.share <= 1 and 1 <= shadow.max_at_once <= MAX_AT_ONCE
    if not is_fine or not 1 <= shadow.within_s <= MAX_WITHIN_S or not 1 <= shadow.days <= MAX_DAYS:
        raise ShadowNotUsable(
            f"A share of {100 * shadow.share:g} %, {shadow.max_at_once} at once, {shadow.within_s:g} s and "
            f"{shadow.days} days cannot be."
        )


def _lines(pairs: Iterable[ShadowPair]) -> Iterator[str]:
    seen: set[tuple[str, str, str]] = set()
    for pair in pairs:
        asked = (pair.instructions, pair.earlier, pair.question)
        if asked not in seen:
            seen.add(asked)
            yield json.dumps(_line(pair), ensure_ascii=False) + "\n"


def _line(pair: ShadowPair) -> dict[str, str]:
    return {
        "question": pair.question,
        "instructions": pair.instructions,
        "earlier": pair.earlier,
        "sent": pair.sent_answer,
        "shadow": pair.shadow_answer,
        "sent_model": pair.sent_model_id,
        "shadow_model": pair.shadow_model_id,
        "asked_at": pair.at.isoformat(timespec="seconds"),
    }


def _row(pair: Pair) -> ShadowPair | None:
    sent = said(pair.sent)
    if sent is None:
        return None
    shadow = said(replace(pair.sent, answer=pair.answer, is_stream=False)) if pair.answer else None
    text = shadow.answer if shadow is not None else ""
    return ShadowPair(
        id=new_id(Prefix.KEPT),
        domain=pair.sent.domain,
        asked_by=pair.sent.asked_by,
        alias=pair.sent.alias,
        sent_model_id=pair.sent.model_id,
        shadow_model_id=pair.shadow_model_id,
        instructions=sent.instructions,
        earlier=sent.earlier,
        question=sent.question,
        sent_answer=sent.answer,
        shadow_answer=text,
        shadow_error="" if shadow is not None else pair.error or "It gave no answer in words.",
        is_same=shadow is not None and text == sent.answer,
        is_json_wanted=pair.is_json_wanted,
        is_sent_json=_is_json(sent.answer),
        is_shadow_json=_is_json(text),
        sent_ms=pair.sent.duration_ms,
        shadow_ms=pair.duration_ms if shadow is not None else None,
        sent_characters=len(sent.answer),
        shadow_characters=len(text) if shadow is not None else None,
        at=datetime.fromtimestamp(pair.sent.at_s, UTC),
    )


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
