"""An answer that was tried out and starred is an answer like any other, with its provenance."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tests.factories import MakeDatabase, make_base_model, make_person

from goldsmith.data import queries as data
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import BaseModel
from goldsmith.run.tables import Answer, Run
from goldsmith.serve import outside
from goldsmith.serve.errors import EngineNotFound
from goldsmith.stars import playground
from goldsmith.stars.collecting import Collection
from goldsmith.stars.errors import MarkNotPossible
from goldsmith.stars.playground import Tried
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage.ids import Prefix, new_id

STAR = MarkRequest(MarkKind.star)


@pytest.fixture
def session(make_database: MakeDatabase) -> Iterator[Session]:
    with make_database().transaction() as session:
        yield session


@pytest.fixture
def model(session: Session) -> BaseModel:
    return make_base_model(session)


def tried(model_id: str, text: str = "Bonn.", **more: object) -> Tried:
    facts = {"question": "Capital?", "system_text": "Be short.", "finish_reason": "stop", **more}
    return Tried(model_id=model_id, text=text, **facts)  # type: ignore[arg-type]


def num(session: Session, table: type[Answer] | type[Run]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_star_keeps_the_answer_with_what_was_measured(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    measured = tried(model.id, answer_tokens=3, duration_ms=12.5, engine_id="eng_1")
    mark = playground.say(session, measured, STAR, by=by)
    answer = session.get_one(Answer, mark.answer_id)
    assert (answer.text, answer.answer_tokens, answer.duration_ms) == ("Bonn.", 3, 12.5)
    assert (answer.served_by, answer.finish_reason) == ("eng_1", "stop")
    assert (mark.is_star, mark.via, mark.created_by) == (True, "playground", by.id)
    run = session.get_one(Run, answer.run_id)
    assert (run.kind, run.model_id, run.num_rows) == ("playground", model.id, 1)


def test_it_goes_into_a_training_set_like_any_other(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    playground.say(session, tried(model.id), MarkRequest(MarkKind.correction, text="Berlin."), by=by)
    playground.say(session, tried(model.id, "Paris.", question="And of France?", system_text=""), STAR, by=by)
    collection = Collection(session)
    collection.collect(domain=by.domain)
    newest, first = collection.examples
    assert [(turn["role"], turn["content"]) for turn in newest.asked] == [("user", "And of France?")]
    assert [turn["role"] for turn in first.asked] == ["system", "user"]
    assert (first.expected, newest.expected) == ("Berlin.", "Paris.")


def test_the_same_said_twice_is_kept_once(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    first, second = (playground.say(session, tried(model.id), STAR, by=by) for _ in range(2))
    assert first.id == second.id
    assert (num(session, Answer), num(session, Run)) == (1, 1)


def test_another_answer_to_the_same_question_is_another_answer(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    for text in ("Bonn.", "Berlin."):
        playground.say(session, tried(model.id, text), STAR, by=by)
    assert (num(session, Answer), num(session, Run)) == (2, 1)


def test_two_models_that_were_asked_the_same_share_the_row(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    other = make_base_model(session, name="other")
    answers = [playground.keep(session, tried(each.id), by=by) for each in (model, other)]
    assert answers[0].row_id == answers[1].row_id
    assert num(session, Run) == 2


def test_the_questions_are_in_no_list_of_datasets(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    playground.say(session, tried(model.id), STAR, by=by)
    assert data.page(session, domain=by.domain) == []


def test_a_broken_answer_gets_no_star_but_can_be_corrected(session: Session, model: BaseModel) -> None:
    by = make_person(session)
    broken = tried(model.id, "Ber", error="The engine went away.")
    with pytest.raises(MarkNotPossible):
        playground.say(session, broken, STAR, by=by)
    mark = playground.say(session, broken, MarkRequest(MarkKind.correction, text="Berlin."), by=by)
    assert mark.is_star


def test_a_provider_may_have_answered(session: Session) -> None:
    by = make_person(session)
    engine = outside.add_provider(session, "https://api.example.com", model="large-1", by=by)
    playground.say(session, tried(engine.id), STAR, by=by)
    assert session.scalars(select(Run.name)).all() == ["large-1, tried in the playground"]


def test_nobody_stars_what_no_model_of_theirs_wrote(session: Session, model: BaseModel) -> None:
    stranger = make_person(session, "Eve", domain="elsewhere")
    provider = outside.add_provider(session, "https://api.example.com", model="m", by=make_person(session))
    with pytest.raises(ModelNotFound):
        playground.say(session, tried(model.id), STAR, by=stranger)
    for engine_id in (provider.id, new_id(Prefix.ENGINE)):
        with pytest.raises(EngineNotFound):
            playground.say(session, tried(engine_id), STAR, by=stranger)
