"""Every SELECT on shadows."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from goldsmith.serve.kept.types import Hidden
from goldsmith.serve.shadow.errors import ShadowNotFound
from goldsmith.serve.shadow.tables import ShadowPair, ShadowRule
from goldsmith.serve.shadow.types import Measures, Shadow, Side

AT_ONCE = 500


def rules(session: Session, *, domain: str) -> list[ShadowRule]:
    """Every shadow that there is or was, by alias."""
    return list(session.scalars(select(ShadowRule).where(ShadowRule.domain == domain).order_by(ShadowRule.alias)))


def one(session: Session, alias: str, *, domain: str) -> ShadowRule:
    """An alias's shadow, also one that was stopped. Raises ShadowNotFound."""
    rule = session.get(ShadowRule, (domain, alias))
    if rule is None:
        raise ShadowNotFound(f"No model answers along for {alias[:100]!r}.")
    return rule


def shadows(session: Session, *, domain: str) -> dict[str, Shadow]:
    """Those that answer now, as the gateway holds them."""
    return {
        rule.alias: Shadow(
            rule.model_id,
            rule.share,
            rule.max_at_once,
            rule.within_s,
            rule.days,
            tuple(Hidden(each) for each in rule.hides),
        )
        for rule in rules(session, domain=domain)
        if rule.share > 0
    }


def page(session: Session, alias: str, *, domain: str, before: str | None = None, limit: int = 50) -> list[ShadowPair]:
    """Pairs, newest first."""
    query = select(ShadowPair).where(ShadowPair.domain == domain, ShadowPair.alias == alias)
    query = query.order_by(ShadowPair.id.desc()).limit(limit)
    return list(session.scalars(query.where(ShadowPair.id < before) if before else query))


def newest(session: Session, alias: str, *, domain: str, limit: int) -> Iterator[Sequence[ShadowPair]]:
    """The newest pairs in portions, newest first."""
    before: str | None = None
    left = limit
    while left > 0 and (found := page(session, alias, domain=domain, before=before, limit=min(AT_ONCE, left))):
        yield found
        before, left = found[-1].id, left - len(found)


def measures(session: Session, rule: ShadowRule) -> Measures:
    """Both sides over the requests that the shadow of now was asked, too."""
    pair = ShadowPair
    is_answered = pair.shadow_error == ""
    is_measured = pair.is_json_wanted & is_answered
    query = select(
        func.count(),
        _num(pair.is_same),
        _num(is_answered),
        _num(pair.is_json_wanted),
        _num(pair.is_json_wanted & ~pair.is_sent_json),
        _num(is_measured),
        _num(is_measured & ~pair.is_shadow_json),
        func.avg(case((is_answered, pair.sent_characters))),
        func.avg(pair.shadow_characters),
    ).where(*_of(rule))
    *counts, sent_length, shadow_length = session.execute(query).one()
    num, same, answered, json, bad_sent, measured, bad = (int(each or 0) for each in counts)
    sent_ms, shadow_ms = (_median(session, rule, column, answered) for column in (pair.sent_ms, pair.shadow_ms))
    return Measures(
        num,
        same,
        answered - same,
        Side(num, 0, json, bad_sent, sent_ms, _float(sent_length)),
        Side(answered, num - answered, measured, bad, shadow_ms, _float(shadow_length)),
    )


def _of(rule: ShadowRule) -> tuple[ColumnElement[bool], ...]:
    """The pairs of the model that answers along now."""
    pair = ShadowPair
    return (pair.domain == rule.domain, pair.alias == rule.alias, pair.shadow_model_id == rule.model_id)


def _median(session: Session, rule: ShadowRule, column: InstrumentedAttribute[Any], num: int) -> float | None:
    """The middle one of those that both answered; of an even number the lower."""
    query = select(column).where(*_of(rule), ShadowPair.shadow_error == "").order_by(column)
    return _float(session.scalar(query.offset(max(0, (num - 1) // 2)).limit(1)))


def _num(condition: ColumnElement[bool] | InstrumentedAttribute[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
