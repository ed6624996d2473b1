"""Every SELECT on kept traffic."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from goldsmith.serve.kept.tables import KeepingRule, KeptExchange
from goldsmith.serve.kept.types import Hidden, Keeping

AT_ONCE = 500


def rules(session: Session, *, domain: str) -> list[KeepingRule]:
    """Every rule that was ever set, by alias."""
    return list(session.scalars(select(KeepingRule).where(KeepingRule.domain == domain).order_by(KeepingRule.alias)))


def keeping(session: Session, *, domain: str) -> dict[str, Keeping]:
    """The rules as the gateway holds them; those that keep nothing stand against the one for everything."""
    return {rule.alias: keeping_of(rule) for rule in rules(session, domain=domain)}


def keeping_of(rule: KeepingRule) -> Keeping:
    """A rule as a value."""
    return Keeping(rule.share, rule.days, tuple(Hidden(each) for each in rule.hides))


def page(
    session: Session, *, domain: str, alias: str | None = None, before: str | None = None, limit: int = 50
) -> list[KeptExchange]:
    """What was kept, newest first; of one alias where one is named."""
    query = select(KeptExchange).where(*_of(domain, alias)).order_by(KeptExchange.id.desc()).limit(limit)
    return list(session.scalars(query.where(KeptExchange.id < before) if before else query))


def counts(session: Session, *, domain: str) -> dict[str, int]:
    """How many were kept, by alias."""
    query = select(KeptExchange.alias, func.count()).where(KeptExchange.domain == domain)
    return {row[0]: row[1] for row in session.execute(query.group_by(KeptExchange.alias))}


def newest(session: Session, *, domain: str, alias: str | None, limit: int) -> Iterator[Sequence[KeptExchange]]:
    """The newest ones in portions, newest first."""
    before: str | None = None
    left = limit
    while left > 0 and (found := page(session, domain=domain, alias=alias, before=before, limit=min(AT_ONCE, left))):
        yield found
        before, left = found[-1].id, left - len(found)


def _of(domain: str, alias: str | None) -> list[ColumnElement[Any]]:
    is_meant = [KeptExchange.domain == domain]
    return is_meant if alias is None else [*is_meant, KeptExchange.alias == alias]
