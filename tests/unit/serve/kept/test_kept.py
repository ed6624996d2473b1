"""Kept traffic: what is read out of an exchange, stored, forgotten in time, and made into a dataset."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest

from goldsmith.data.tables import DatasetVersion
from goldsmith.people.types import Person
from goldsmith.serve.kept import queries, service
from goldsmith.serve.kept.errors import KeepingNotUsable, NothingKept
from goldsmith.serve.kept.jobs import KeptKeeper, KeptSink
from goldsmith.serve.kept.reading import said
from goldsmith.serve.kept.types import EVERYTHING, Exchange, Handed, Hidden, Keeping, rule_for
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

OTHER = Person("per_other", "Eve", "elsewhere")
CHAT = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who is ada@example.com?"}]
}
ANSWER = {"choices": [{"index": 0, "message": {"content": "Ada."}}], "usage": {"completion_tokens": 3}}
STREAM = [
    {"choices": [{"index": 0, "delta": {"content": "A"}}]},
    {"choices": [{"index": 0, "delta": {"content": "da."}}]},
    {"choices": [], "usage": {"completion_tokens": 3}},
]


def raw(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


def exchange(request: Any = CHAT, answer: Any = ANSWER, **more: Any) -> Exchange:
    is_stream = isinstance(answer, list)
    values: dict[str, Any] = {
        "domain": "local",
        "asked_by": "per_1",
        "rule": EVERYTHING,
        "alias": "support",
        "model_id": "ftm_1",
        "path": "/v1/chat/completions",
        "request": json.dumps(request).encode(),
        "answer": raw(answer) if is_stream else json.dumps(answer).encode(),
        "is_stream": is_stream,
        "duration_ms": 12.0,
        "at_s": time.time(),
    }
    return Exchange(**{**values, **more})


@pytest.mark.parametrize("answer", [ANSWER, STREAM])
def test_question_instructions_and_answer_are_read_whole_or_streamed(answer: Any) -> None:
    found = said(exchange(answer=answer))
    assert found is not None
    assert (found.instructions, found.question, found.answer) == ("Be brief.", "Who is [e-mail]?", "Ada.")
    assert (found.answer_tokens, found.num_hidden) == (3, 1)


def test_of_a_conversation_the_last_thing_said_is_the_question() -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", [{"type": "text", "text": "And now?"}])]
    found = said(exchange({"messages": [{"role": role, "content": content} for role, content in turns]}))
    assert found is not None
    assert (found.earlier, found.question) == ("user: Hi\nassistant: Hello", "And now?")


def test_other_endpoints_are_read_too() -> None:
    found = said(exchange({"prompt": "Once"}, {"choices": [{"index": 0, "text": " upon"}]}))
    assert (found.question, found.answer) == ("Once", " upon")  # type: ignore[union-attr]
    output = {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Yes"}]}]}
    found = said(exchange({"input": "Really?", "instructions": "Short."}, output))
    assert (found.instructions, found.question, found.answer) == ("Short.", "Really?", "Yes")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("request_body", "answer"),
    [
        ({"input": ["a", "b"]}, {"data": [{"embedding": [0.1]}]}),
        (CHAT, {"choices": [{"index": 0, "message": {"content": None, "tool_calls": []}}]}),
        (CHAT, [{"choices": [{"index": 0, "delta": {"content": "A"}}]}, {"error": {"message": "gone"}}]),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, ANSWER),
        ({"messages": "no list"}, ANSWER),
        ([], ANSWER),
        (CHAT, "no object"),
        ({"messages": [{"role": "user", "content": "x" * 70_000}]}, ANSWER),
    ],
)
def test_what_is_no_question_with_a_whole_answer_in_words_is_left_out(request_body: Any, answer: Any) -> None:
    assert said(exchange(request_body, answer)) is None


def test_an_alias_s_own_rule_stands_before_the_one_for_everything() -> None:
    rules = {EVERYTHING: Keeping(1.0), "support": Keeping(0.0)}
    assert (rule_for(rules, "support")[1].is_on, rule_for(rules, "sales")[1].is_on) == (False, True)
    assert not rule_for({}, "sales")[1].is_on, "off by default"


def test_what_is_stored_belongs_to_its_organisation_and_names_who_asked(database: Database, person: Person) -> None:
    KeptSink(database)(Handed((exchange(), exchange(domain="elsewhere"), exchange([], ANSWER))))
    with database.reading() as session:
        rows = queries.page(session, domain="local")
        assert [(row.asked_by, row.alias, row.question) for row in rows] == [("per_1", "support", "Who is [e-mail]?")]
        assert "per_1" not in rows[0].question + rows[0].answer + rows[0].instructions
        assert queries.counts(session, domain="elsewhere") == {"support": 1}
        assert queries.page(session, domain="local", alias="sales") == []


def test_what_found_no_room_is_counted_at_its_rule(database: Database, person: Person) -> None:
    with database.transaction() as session:
        service.keep(session, EVERYTHING, Keeping(1.0), by=person)
    KeptSink(database)(Handed((), {("local", EVERYTHING): 7}))
    with database.reading() as session:
        assert queries.rules(session, domain="local")[0].num_dropped == 7


def test_what_is_older_than_its_rule_says_is_deleted_by_itself(database: Database, person: Person) -> None:
    with database.transaction() as session:
        service.keep(session, EVERYTHING, Keeping(1.0, days=2), by=person)
        service.store(session, Handed((exchange(), exchange(at_s=time.time() - 3 * 86400))))
    keeper = KeptKeeper(database)
    keeper.tick(clock.now())
    with database.reading() as session:
        assert len(queries.page(session, domain="local")) == 1
    keeper.tick(clock.now() + timedelta(seconds=1))  # looks only every few minutes
    keeper.tick(clock.now() + timedelta(days=2, minutes=1))
    with database.reading() as session:
        assert queries.page(session, domain="local") == []


def test_it_is_deleted_in_time_after_it_was_switched_off_too(database: Database, person: Person) -> None:
    with database.transaction() as session:
        service.keep(session, EVERYTHING, Keeping(1.0, days=2), by=person)
        service.store(session, Handed((exchange(at_s=time.time() - 3 * 86400),)))
        service.keep(session, EVERYTHING, Keeping(0.0, days=2), by=person)
        assert service.forget_old(session, clock.now()) == 1


def test_everything_is_deleted_at_once_on_wish(database: Database, person: Person) -> None:
    with database.transaction() as session:
        service.store(session, Handed((exchange(), exchange(alias="sales"), exchange(domain="elsewhere"))))
        assert service.forget_all(session, alias="sales", by=person) == 1
        assert service.forget_all(session, by=person) == 1
        assert len(queries.page(session, domain="elsewhere")) == 1


@pytest.mark.parametrize("keeping", [Keeping(1.5), Keeping(-0.1), Keeping(0.5, days=0), Keeping(0.5, days=999)])
def test_a_rule_that_cannot_be_is_refused(database: Database, person: Person, keeping: Keeping) -> None:
    with database.transaction() as session, pytest.raises(KeepingNotUsable):
        service.keep(session, EVERYTHING, keeping, by=person)


def test_a_rule_for_an_alias_that_is_not_there_is_refused(database: Database, person: Person) -> None:
    with database.transaction() as session, pytest.raises(KeepingNotUsable, match="no alias"):
        service.keep(session, "nobody", Keeping(1.0), by=person)


def test_a_rule_comes_back_as_it_was_set(database: Database, person: Person) -> None:
    with database.transaction() as session:
        service.keep(session, EVERYTHING, Keeping(0.25, 3, (Hidden.CARD,)), by=person)
        assert queries.keeping(session, domain="local") == {EVERYTHING: Keeping(0.25, 3, (Hidden.CARD,))}


def test_a_dataset_has_each_question_once_the_newest_first(database: Database, home: Home, person: Person) -> None:
    first, again = exchange({"prompt": "one"}), exchange({"prompt": "one"})
    with database.transaction() as session:
        service.store(session, Handed((first, exchange({"prompt": "two"}))))
    with database.transaction() as session:
        service.store(session, Handed((again, exchange({"prompt": "three"}, alias="sales"))))
        version = service.make_dataset(session, home, by=person, alias="support").id
    with database.reading() as session:
        found = session.get_one(DatasetVersion, version)
        lines = [json.loads(line) for line in (home.uploads / found.source_sha256).read_text().splitlines()]
    assert sorted(line["question"] for line in lines) == ["one", "two"]
    assert {line["answered"] for line in lines} == {"Ada."}
    assert found.answer_column is None, "what a model wrote is not good because it was written"


def test_of_nothing_no_dataset_is_made(database: Database, home: Home) -> None:
    with database.transaction() as session, pytest.raises(NothingKept):
        service.make_dataset(session, home, by=OTHER)
