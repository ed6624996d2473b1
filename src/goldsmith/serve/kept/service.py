"""The verbs of kept traffic: set a rule, store, forget, make a dataset. Only `make_dataset` touches a file."""

import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from goldsmith.data import service as data
from goldsmith.data.tables import DatasetVersion
from goldsmith.data.types import ImportRequest
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.serve.kept import queries
from goldsmith.serve.kept.errors import KeepingNotUsable, NothingKept
from goldsmith.serve.kept.reading import said
from goldsmith.serve.kept.tables import KeepingRule, KeptExchange
from goldsmith.serve.kept.types import EVERYTHING, MAX_DAYS, Exchange, Handed, Keeping
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id

MAX_ROWS = 10_000


def keep(session: Session, alias: str, keeping: Keeping, *, by: Person) -> KeepingRule:
    """From now on this is kept of the requests for an alias, or for all others. Raises KeepingNotUsable."""
    if not 0 <= keeping.share <= 1 or not 1 <= keeping.days <= MAX_DAYS:
        raise KeepingNotUsable(f"{100 * keeping.share:g} % for {keeping.days} days cannot be kept.")
    if alias != EVERYTHING and serve.alias(session, domain=by.domain, name=alias) is None:
        raise KeepingNotUsable(f"There is no alias {alias[:100]!r}.")
    rule = session.get(KeepingRule, (by.domain, alias))
    if rule is None:
        rule = KeepingRule(domain=by.domain, alias=alias)
        session.add(rule)
    rule.share, rule.days, rule.hides = keeping.share, keeping.days, [each.value for each in keeping.hides]
    rule.num_dropped, rule.changed_by, rule.changed_at = 0, by.id, clock.now()
    session.flush()
    return rule


def stop(session: Session, alias: str, *, by: Person) -> None:
    """Keep nothing more by this rule; what is kept stays until its days are over. Raises KeepingNotUsable."""
    rule = session.get(KeepingRule, (by.domain, alias))
    if rule is None:
        raise KeepingNotUsable("There is no such rule.")
    rule.share, rule.changed_by, rule.changed_at = 0.0, by.id, clock.now()


def store(session: Session, handed: Handed) -> int:
    """Write what a gateway handed over; returns how many. What is no question with an answer in words is left out."""
    rows = [row for exchange in handed.exchanges if (row := _row(exchange)) is not None]
    session.add_all(rows)
    for (domain, rule), number in handed.num_dropped.items():
        is_meant = (KeepingRule.domain == domain, KeepingRule.alias == rule)
        session.execute(update(KeepingRule).where(*is_meant).values(num_dropped=KeepingRule.num_dropped + number))
    session.flush()
    return len(rows)


def forget_old(session: Session, now: datetime) -> int:
    """Delete what its rule does not keep any longer; returns how many."""
    num = 0
    for rule in session.query(KeepingRule).all():
        is_old = KeptExchange.at < now - timedelta(days=rule.days)
        found = session.execute(
            delete(KeptExchange).where(KeptExchange.domain == rule.domain, KeptExchange.rule == rule.alias, is_old)
        )
        num += found.rowcount  # type: ignore[attr-defined]  # the result of a DELETE has it
    return num


def forget_all(session: Session, *, alias: str | None = None, by: Person) -> int:
    """Delete now what was kept, of one alias where one is named; returns how many."""
    query = delete(KeptExchange).where(KeptExchange.domain == by.domain)
    found = session.execute(query.where(KeptExchange.alias == alias) if alias is not None else query)
    return int(found.rowcount)  # type: ignore[attr-defined]  # the result of a DELETE has it


def make_dataset(
    session: Session, home: Home, *, by: Person, alias: str | None = None, name: str = ""
) -> DatasetVersion:
    """A dataset of what was asked, the newest first, each question once. Raises NothingKept."""
    called = name or f"asked of {alias}" if alias else name or "what was asked"
    found = queries.newest(session, domain=by.domain, alias=alias, limit=MAX_ROWS)
    content = "".join(_lines(row for some in found for row in some))
    if not content:
        raise NothingKept("There are no kept requests of which a dataset could be made.")
    upload = data.save_upload(home, io.BytesIO(content.encode()), f"{called}.jsonl")
    return data.start_import(session, ImportRequest(upload, called, format="jsonl"), by=by)[0]


def _lines(rows: Iterable[KeptExchange]) -> Iterator[str]:
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        asked = (row.instructions, row.earlier, row.question)
        if asked not in seen:
            seen.add(asked)
            yield json.dumps(_line(row), ensure_ascii=False) + "\n"


def _line(row: KeptExchange) -> dict[str, str]:
    return {
        "question": row.question,
        "instructions": row.instructions,
        "earlier": row.earlier,
        "answered": row.answer,
        "model": row.model_id,
        "asked_at": row.at.isoformat(timespec="seconds"),
    }


def _row(exchange: Exchange) -> KeptExchange | None:
    found = said(exchange)
    if found is None:
        return None
    return KeptExchange(
        id=new_id(Prefix.KEPT),
        domain=exchange.domain,
        asked_by=exchange.asked_by,
        rule=exchange.rule,
        alias=exchange.alias,
        model_id=exchange.model_id,
        path=exchange.path,
        instructions=found.instructions,
        earlier=found.earlier,
        question=found.question,
        answer=found.answer,
        num_hidden=found.num_hidden,
        answer_tokens=found.answer_tokens,
        duration_ms=exchange.duration_ms,
        at=datetime.fromtimestamp(exchange.at_s, UTC),
    )
