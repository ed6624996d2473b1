"""Finds the gold conquests of one scope, the newest star first, by the rules of Aristotle.

The ratings are read as a stream of ids, and what belongs to them a few at a time by key. So a star costs the
same whether there are a thousand ratings or a million, and what cannot be used is never in memory together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, func, or_, select

from goldsmith.connect.aristotle.columns import Named, Tables
from goldsmith.connect.aristotle.names import Layout
from goldsmith.connect.aristotle.shapes import answer_of, prompt_of
from goldsmith.connect.aristotle.types import plain_type, wanted_type
from goldsmith.connect.errors import SchemaNotKnown, WishNotPossible
from goldsmith.connect.types import MAX_LIMIT, Fetched, LeftOut, SourceItem, Wish

STAR_RATING = 5
AT_ONCE = 50
"""Conquests whose prompts and answers are in memory together."""
_IDS_AT_ONCE = 1000
MAX_NAME = 255


def check_wish(wish: Wish) -> None:
    """Raise WishNotPossible or ConquestTypeUnknown for what no database could answer."""
    for name, value in (("philosopher", wish.scope.philosopher), ("domain", wish.scope.domain)):
        if not value.strip():
            raise WishNotPossible(f"The {name} is empty, so it is not said whose stars are meant.")
        if "\x00" in value or value.encode("utf-8", "replace").decode() != value:
            raise WishNotPossible(f"The {name} holds a character that is no text.")
        if len(value) > MAX_NAME:
            raise WishNotPossible(f"The {name} is longer than {MAX_NAME} characters.")
    if wish.limit is not None and not 1 <= wish.limit <= MAX_LIMIT:
        raise WishNotPossible(f"The limit is {wish.limit}; it must be from 1 to {MAX_LIMIT:,}.")
    if wish.min_rating is not None and not 1 <= wish.min_rating <= STAR_RATING:
        raise WishNotPossible(f"The least rating is {wish.min_rating}; it must be from 1 to {STAR_RATING}.")
    wanted_type(wish.conquest_type)


def fetch(connection: Connection, layout: Layout, wish: Wish) -> Fetched:
    """The usable gold conquests, and which stars were left out. The limit counts the usable ones."""
    return _Fetching(connection, Tables(layout), wish).run()


def why_none(connection: Connection, layout: Layout, wish: Wish, fetched: Fetched) -> str:
    """The nearest reason why there is no usable star."""
    rating, scope = Tables(layout).rating, wish.scope
    whose = f"{scope.philosopher} at {scope.domain}"
    if fetched.left_out:
        return f"{whose} has {len(fetched.left_out):,} gold stars, and none of them can be used."
    if connection.scalar(select(func.count()).where(Tables(layout).is_gold(scope))):
        return f"{whose} has gold stars, but none of the type, rating or time that is asked for."
    num_rated = connection.scalar(select(func.count()).select_from(rating.table).where(rating.is_of(scope))) or 0
    if num_rated:
        both = rating["is_gold_star"] & ~rating["use_as_sample_response"]
        half = connection.scalar(select(func.count()).where(rating.is_of(scope), both)) or 0
        also = f" {half:,} have a gold star, but are not marked as a sample response." if half else ""
        return f"None of the {num_rated:,} ratings of {whose} is a gold star.{also}"
    elsewhere = select(rating.text("philosopher")).where(rating.text("philosopher") == scope.philosopher).limit(1)
    if connection.execute(elsewhere).first() is not None:
        return f"{scope.philosopher} has ratings, but none at {scope.domain}: they stand under another domain."
    return f"There is no rating of {whose}. Both are compared letter by letter."


def plans(connection: Connection, layout: Layout, wish: Wish) -> list[str]:
    """How PostgreSQL would answer each of the queries of `fetch`, for the first conquests."""
    fetching = _Fetching(connection, Tables(layout), wish)
    ids = [star.key for star in connection.execute(fetching.stars().limit(AT_ONCE))]
    queries = [fetching.stars(), fetching.keys(), fetching.conquests(ids)]
    queries += [fetching.data(part, ids) for part in (fetching.tables.prompt, fetching.tables.answer)]
    found = []
    for query in queries:
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        lines = connection.exec_driver_sql(f"EXPLAIN {compiled}", dict(compiled.params))
        found.append("\n".join(line for (line,) in lines))
    return found


@dataclass
class _Fetching:
    connection: Connection
    tables: Tables
    wish: Wish
    items: list[SourceItem] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def run(self) -> Fetched:
        self._take_items()
        return Fetched(self.items, self.left_out, frozenset(self.connection.scalars(self.keys())))

    def _take_items(self) -> None:
        conquest_type = wanted_type(self.wish.conquest_type)
        with self.connection.execution_options(stream_results=True).execute(self.stars()) as found:
            stars = iter(found.yield_per(_IDS_AT_ONCE))
            while some := list(islice(stars, AT_ONCE)):
                for item in self._usable(some, conquest_type):
                    self.items.append(item)
                    if self.wish.limit is not None and len(self.items) >= self.wish.limit:
                        return

    def keys(self) -> Select[Any]:
        """The conquests that have a gold star of the scope."""
        return select(self.tables.rating.text("key")).where(self.tables.is_gold(self.wish.scope))

    def stars(self) -> Select[Any]:
        """The keys of the scope's gold stars."""
        rating, wish = self.tables.rating, self.wish
        at = rating.moment("updated_at", "created_at")
        points = rating["rating"] if rating.found.has("rating") else None
        query = select(rating.text("key").label("key"), at.label("at")).where(self.tables.is_gold(wish.scope))
        if points is not None:
            query = query.add_columns(points.label("rating"))
        if wish.min_rating is not None:
            if points is None:
                raise SchemaNotKnown(
                    f"{rating.found.name} has no column rating, so a least rating cannot be asked for."
                )
            query = query.where(or_(points.is_(None), points >= wish.min_rating))
        if wish.since is not None:
            query = query.where(at >= wish.since)
        return query.order_by(at.desc().nulls_last(), cast(rating["key"], Text))

    def _usable(self, stars: Sequence[Row[Any]], conquest_type: str | None) -> Iterator[SourceItem]:
        ids = [star.key for star in stars if star.key is not None]
        conquests = self._conquests(ids)
        meant = [each for each, row in conquests.items() if conquest_type in (None, plain_type(row.kind or ""))]
        asked, answered = self._data(self.tables.prompt, meant), self._data(self.tables.answer, meant)
        for star in stars:
            conquest = conquests.get(star.key)
            if conquest is None:
                self._leave_out(star.key, "other_scope")
            elif star.key in meant:
                item = self._item(star, conquest, asked.get(star.key), answered.get(star.key))
                if item is not None:
                    yield item

    def _item(self, star: Row[Any], conquest: Row[Any], asked: Any, answered: Any) -> SourceItem | None:
        prompt, answer = prompt_of(asked), answer_of(answered)
        is_repeated = star.key in self.seen
        self.seen.add(star.key)
        if prompt is None or answer is None or is_repeated:
            reason = "repeated" if is_repeated else "no_prompt" if prompt is None else "no_answer"
            self._leave_out(star.key, reason)
            return None
        return SourceItem(
            external_id=star.key,
            prompt=prompt.text,
            answer=answer,
            system_text=conquest.system if prompt.system_text is None else prompt.system_text,
            kind=plain_type(conquest.kind) if conquest.kind else None,
            subject_id=conquest.subject,
            rating=getattr(star, "rating", None),
            starred_at=star.at,
        )

    def _leave_out(self, external_id: str | None, reason: str) -> None:
        self.left_out.append(LeftOut(external_id or "", reason))

    def conquests(self, ids: Sequence[str]) -> Select[Any]:
        """Those of the conquests that belong to the scope."""
        conquest = self.tables.conquest
        return select(
            conquest.text("id").label("id"),
            conquest.text("conquest_type").label("kind"),
            conquest.text("aristotle_id").label("subject"),
            conquest.text("system").label("system"),
        ).where(conquest.among("id", ids), conquest.is_of(self.wish.scope))

    def data(self, part: Named, ids: Sequence[str]) -> Select[Any]:
        """What prompts or answers of these conquests hold, the newest last."""
        conquest = self.tables.conquest
        return (
            select(part.text("key"), part["data"])
            .join_from(part.table, conquest.table, self.tables.belongs(part))
            .where(part.among("key", ids), conquest.among("id", ids), conquest.is_of(self.wish.scope))
            .order_by(part.moment("updated_at").asc().nulls_first(), part.text("id"))
        )

    def _conquests(self, ids: Sequence[str]) -> Mapping[str, Row[Any]]:
        return {row.id: row for row in self.connection.execute(self.conquests(ids))}

    def _data(self, part: Named, ids: Sequence[str]) -> dict[str, Any]:
        """What the newest row of each conquest holds."""
        found = self.connection.execute(self.data(part, ids)) if ids else ()
        return {row[0]: row[1] for row in found}
