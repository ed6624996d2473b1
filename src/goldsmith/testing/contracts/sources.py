"""What every kind of source promises. Whoever writes one gives a `Stand`: the outside world that its source reads.

A test class inherits from `SourceContract` and has a fixture `stand`.
"""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import pytest

from goldsmith.connect.sources.errors import OptionsNotUsable, QueryRefused, SourceRefused, SourceSilent
from goldsmith.connect.sources.types import Batch, OpenSource, Since, SourceKind, SourceOptions, Surroundings
from goldsmith.testing.contracts import RAN_ON

Rows = dict[str, dict[str, str]]
"""By id: what a source holds."""
ROWS: Rows = {str(number): {"question": f"question {number}?", "answer": str(number)} for number in range(1, 1201)}
AWKWARD: Rows = {
    "1": {"question": "zwei\nZeilen, „Größe“ 名前 🎉", "answer": ""},
    "2": {"question": "'; DROP TABLE tickets; --", "answer": "{{question}} :name %s"},
    "3": {"question": "x" * 100_000, "answer": "long"},
}


class Stand(ABC):
    """A place with rows that a kind of source reads."""

    kind: SourceKind
    tells_gone: ClassVar[bool] = True
    """Whether it can tell that a row is not there any more."""

    def __init__(self, folder: Path, *, by_change: bool = False) -> None:
        self.folder, self.by_change = folder, by_change
        self.surroundings = Surroundings((folder / "outside",), folder / "private", ("127.0.0.1",))
        (folder / "outside").mkdir()

    @abstractmethod
    def put(self, rows: Rows) -> None:
        """From now on the place holds these rows."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What a person would fill in."""

    @abstractmethod
    def wrong_options(self) -> dict[str, Any]:
        """Options that lead nowhere."""

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Clear up."""

    def open(self, **other: Any) -> OpenSource:
        return self.kind.open(self.kind.Options.model_validate({**self.options(), **other}), self.surroundings)


class Kept:
    """What a reader has kept: as `connect/syncing` does, without a database."""

    def __init__(self) -> None:
        self.rows: Rows = {}
        self.since = Since()
        self.num_batches = 0
        self.bad: list[str] = []
        self._groups: dict[str, str] = {}
        self._of_group: dict[str, set[str]] = {}

    def take(self, batch: Batch) -> None:
        self.num_batches += 1
        self.rows.update({row.source_id: dict(row.values) for row in batch.rows})
        self.bad += [each.reason for each in batch.not_taken]
        if batch.group is not None:
            if batch.is_begun:
                self._of_group.setdefault(batch.group, set())
                self._seen: set[str] = set()
            self._seen.update(row.source_id for row in batch.rows)
            if batch.is_ended:
                for gone in self._of_group.get(batch.group, set()) - self._seen:
                    self.rows.pop(gone, None)
                self._of_group[batch.group] = set(self._seen)
            if batch.is_ended or batch.group_state is not None:
                self._groups.pop(batch.group, None)
                if batch.group_state is not None:
                    self._groups[batch.group] = batch.group_state
        # Whatever a cursor is, it is kept as JSON.
        self.since = Since(json.loads(json.dumps(dict(batch.cursor))), dict(self._groups))

    def read(self, source: OpenSource, *, num_batches: int | None = None) -> int:
        """Keep what comes, or only the first batches of it; returns how many rows came."""
        before, num_rows = self.num_batches, 0
        for batch in source.fetch(self.since):
            self.take(batch)
            num_rows += len(batch.rows)
            if num_batches is not None and self.num_batches - before >= num_batches:
                break
        return num_rows


def texts(rows: Rows) -> Rows:
    """Without what kinds add of their own, such as the id's column."""
    return {key: {name: row.get(name, "") for name in ("question", "answer")} for key, row in rows.items()}


class SourceContract:
    """One test for each promise."""

    @pytest.fixture(autouse=True)
    def _says_what_it_ran_on(self, stand: Stand, record_property: Any) -> None:
        record_property(RAN_ON, f"source {stand.kind.name}{' by change' if stand.by_change else ''}")

    def test_it_says_what_it_is_and_what_it_asks_for(self, stand: Stand) -> None:
        kind = stand.kind
        assert kind.name
        assert kind.title
        assert kind.about.endswith(".")
        assert issubclass(kind.Options, SourceOptions)
        for name, field in kind.Options.model_fields.items():
            assert field.description, f"{name} needs a help text below it"

    def test_every_row_comes_with_its_texts_in_batches(self, stand: Stand) -> None:
        stand.put(ROWS)
        kept = Kept()
        assert kept.read(stand.open()) == len(ROWS)
        assert texts(kept.rows) == ROWS
        assert kept.num_batches > 2, "memory stays the same however many rows there are"

    def test_texts_come_as_they_are(self, stand: Stand) -> None:
        stand.put(AWKWARD)
        kept = Kept()
        kept.read(stand.open())
        assert texts(kept.rows) == AWKWARD

    def test_what_was_read_is_not_taken_for_new(self, stand: Stand) -> None:
        stand.put(ROWS)
        kept = Kept()
        kept.read(stand.open())
        kept.read(stand.open())
        assert texts(kept.rows) == ROWS, "under the same ids as before"

    def test_a_changed_row_and_a_new_one_come(self, stand: Stand) -> None:
        stand.put(ROWS)
        kept = Kept()
        kept.read(stand.open())
        changed = {**ROWS, "700": {"question": "another?", "answer": "7"}, "9001": {"question": "new?", "answer": "n"}}
        stand.put(changed)
        kept.read(stand.open())
        assert texts(kept.rows) == changed

    def test_a_row_that_is_gone_is_gone(self, stand: Stand) -> None:
        if not stand.tells_gone or stand.by_change:
            return
        stand.put(ROWS)
        kept = Kept()
        kept.read(stand.open())
        rest = {key: row for key, row in ROWS.items() if key != "700"}
        stand.put(rest)
        kept.read(stand.open())
        assert texts(kept.rows) == rest

    @pytest.mark.parametrize("num_batches", [1, 2, 3])
    def test_reading_goes_on_behind_what_was_kept(self, stand: Stand, num_batches: int) -> None:
        stand.put(ROWS)
        kept = Kept()
        first = kept.read(stand.open(), num_batches=num_batches)
        assert first + kept.read(stand.open()) == len(ROWS), "nothing comes twice, and nothing is left out"
        assert texts(kept.rows) == ROWS

    def test_an_empty_place_is_no_error(self, stand: Stand) -> None:
        stand.put({})
        kept = Kept()
        assert kept.read(stand.open()) == 0

    def test_a_test_of_the_connection_says_where_it_is(self, stand: Stand) -> None:
        stand.put(AWKWARD)
        looked = stand.open().look()
        assert looked.sentence.endswith(".")
        assert AWKWARD["1"]["question"] not in looked.sentence, "it shows no row"

    def test_what_is_wrong_is_told_with_what_to_do(self, stand: Stand) -> None:
        stand.put(AWKWARD)
        expected = (OptionsNotUsable, QueryRefused, SourceRefused, SourceSilent)
        with pytest.raises(expected) as told:
            stand.open(**stand.wrong_options()).look()
        assert told.value.message.endswith(".")
        assert told.value.hint

    def test_a_secret_is_in_no_text(self, stand: Stand) -> None:
        secrets = stand.kind.Options.secret_names()
        if not secrets:
            return
        options = stand.kind.Options.model_validate({**stand.options(), **dict.fromkeys(secrets, "s3cret-word")})
        assert "s3cret-word" not in repr(options) + str(options) + str(options.model_dump())
