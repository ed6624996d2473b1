"""`POST /api/conquests/execute`: one candidate, many, a stream, a model that is not live, and nobody else's rows."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from tests.aristotle import MakeSynthetic, make_synthetic, url_of
from tests.factories import make_base_model
from tests.web.conftest import Site, make_site
from tests.web.models.factories import make_tuned_model
from tests.web.workers import work_off, working

import goldsmith.web.connect.api
from goldsmith.connect import service
from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.executions.jobs import ConquestKind
from goldsmith.connect.types import Scope, Wish
from goldsmith.models.tables import FineTunedModel
from goldsmith.people import service as people
from goldsmith.run.types import SendLimits
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serving
from goldsmith.stars.types import ExportRequest
from goldsmith.testing import FakeEngine
from goldsmith.testing.aristotle import SyntheticAristotle
from goldsmith.web import waiting
from goldsmith.web.connect import handlers
from goldsmith.web.factory import Routers

__all__ = ["make_synthetic"]
EXECUTE, EXECUTIONS = "/api/conquests/execute", "/api/conquests/executions"
ADA = {"philosopher": "ada@acme.example", "domain": "acme.example"}
EVE = {"philosopher": "eve@evil.example", "domain": "evil.example"}
SECRET = "Eve's secret"
EVIL = ("' OR '1'='1", '"; DROP TABLE "Conquest"; --', "%", "x\x00y", "\u202e", ":domain")

pytestmark = pytest.mark.postgresql


@pytest.fixture
def synthetic(make_synthetic: MakeSynthetic) -> SyntheticAristotle:
    made = make_synthetic("V2")
    made.make_subjects()
    made.fill(9, philosopher=ADA["philosopher"], domain=ADA["domain"])
    made.fill(5, philosopher=EVE["philosopher"], domain=EVE["domain"], seed=2)
    made.add_eidos(1, **ADA)
    made.add_eidos(2, **EVE, prompt=SECRET)
    for number in (1, 2, 3):
        made.add_candidate(number, **ADA)
    made.add_candidate(4, **EVE, name=SECRET)
    return made


@pytest.fixture
def url(synthetic: SyntheticAristotle) -> str:
    return url_of(synthetic)


@pytest.fixture
def kind(url: str) -> ConquestKind:
    return ConquestKind(
        lambda: Aristotle.at(url), limits=SendLimits(backoff_s=0.01, engine_wait_s=0.2), engine_start_s=30
    )


@pytest.fixture
def site(tmp_path: Path, database_url: str, url: str, kind: ConquestKind) -> Iterator[Site]:
    offers = {"sources": {"aristotle": lambda: Aristotle.at(url)}}
    routers = Routers([handlers.pages], [goldsmith.web.connect.api.api])
    info = {"mirrors": {kind.name: kind.mirror}}
    made = make_site(tmp_path, routers, database_url=database_url, offers=offers, session_info=info)
    yield made
    made.database.dispose()


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


@pytest.fixture
def models(site: Site) -> tuple[str, str]:
    """A base model and one that was trained from it."""
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person)
        base.context_length = 8192
        return base.id, make_tuned_model(session, base, by=site.person, name="talent-v2").id


@pytest.fixture
def engine(site: Site, models: tuple[str, str]) -> Iterator[FakeEngine]:
    """Both models are live on it."""
    with FakeEngine(models[0], answer=lambda model, *_: f"Yes, says {model}.") as found:
        found.adapters[models[1]] = None  # type: ignore[assignment]  # it is asked for words alone
        live(site, models, found.url)
        yield found


def live(site: Site, models: tuple[str, str], url: str) -> None:
    """What the keeper would write, after what a person wants."""
    with site.database.transaction() as session:
        for model_id in models:
            if not serve.is_wanted(session, model_id):
                serving.deploy(session, model_id, by=site.person)
        for model_id in models:
            deployment = serve.deployment_of(session, model_id)
            row = serve.one(session, deployment.engine_id)
            row.state, row.generation, row.url = "ready", 1, url
            deployment.state, deployment.generation = "loaded", 1


def body(model: str, **more: Any) -> dict[str, Any]:
    return {"eidosId": "eidos_1", "candidateId": "candidate_1", "modelId": model, **more}


def conquests(synthetic: SyntheticAristotle) -> list[Any]:
    query = (
        'SELECT c.*, p.data AS prompt, a.data AS answer FROM "Conquest" c JOIN conquest_prompt p ON'
        " p.conquest_analysis_id = c.id JOIN conquest_response a ON a.conquest_analysis_id = c.id"
        ' WHERE "eidosId" IS NOT NULL ORDER BY c."createdAt"'
    )
    with synthetic.engine.begin() as connection:
        return list(connection.execute(text(query)).mappings())


def test_the_answer_comes_at_once_and_stands_in_aristotle(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind, synthetic: Any
) -> None:
    before = datetime.now(UTC)
    with working(site, kind):
        answer = client.post(EXECUTE, json=body("talent-v2"))
    found = answer.json()
    assert (answer.status_code, found["state"], found["stage"], found["was_live"]) == (200, "succeeded", "over", True)
    [conquest] = conquests(synthetic)
    assert found["result"]["text"] == f"Yes, says {models[1]}." == conquest["answer"]["response"]
    assert found["result"]["conquest_id"] == conquest["id"]
    assert found["tokens"] == found["result"]["prompt_tokens"] + found["result"]["answer_tokens"]
    assert conquest["answer"]["usage"]["prompt_tokens"] == found["result"]["prompt_tokens"]
    assert (conquest["aristotleId"], conquest["eidosId"], conquest["status"]) == ("candidate_1", "eidos_1", "COMPLETED")
    assert (conquest["philosopher"], conquest["domain"]) == (ADA["philosopher"], ADA["domain"])
    assert before <= conquest["completedAt"].replace(tzinfo=UTC) <= datetime.now(UTC)
    assert "goldsmith aristotle migrate" in found["notes"][0]
    assert client.get(f"{EXECUTIONS}/{found['id']}").json() == found
    assert client.get(EXECUTIONS).json()["executions"] == [found]


def test_a_base_model_gets_the_philosopher_s_examples_and_nobody_else_s(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind
) -> None:
    with working(site, kind):
        for num, given in ((None, 3), (0, 0), (20, 9)):
            sent = body(models[0], **({} if num is None else {"numExamples": num}))
            assert client.post(EXECUTE, json=sent).status_code == 200
            turns = engine.requests[-1]["messages"]
            assert len([turn for turn in turns if turn["role"] == "assistant"]) == given
        client.post(EXECUTE, json=body(models[1]))
    assert len(engine.requests[-1]["messages"]) == 1, "it learned without examples"
    assert SECRET not in json.dumps(engine.requests)


def test_many_candidates_are_202_with_counts_and_results(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind, synthetic: Any
) -> None:
    sent = {"eidosId": "eidos_1", "candidateIds": ["candidate_2", "row_1", "candidate_3"], "modelId": models[0], **ADA}
    answer = client.post(EXECUTE, json=sent)
    at = answer.headers["location"]
    assert (answer.status_code, answer.json()["num_candidates"], answer.json()["result"]) == (202, 3, None)
    assert client.get(at).json()["num_answered"] == 0
    work_off(site, kind)
    found = client.get(at).json()
    assert (found["state"], found["num_answered"], found["num_stored"], found["num_failed"]) == ("succeeded", 3, 3, 0)
    first = client.get(found["results"], params={"limit": 2}).json()
    rest = client.get(found["results"], params={"after": first["after"]}).json()
    assert [each["candidate_id"] for each in (*first["results"], *rest["results"])] == sent["candidateIds"]
    assert {each["aristotleId"] for each in conquests(synthetic)} == {"candidate_1", "candidate_2", "candidate_3"}


def test_the_same_key_executes_once(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind, synthetic: Any
) -> None:
    key = {"Idempotency-Key": "k-1"}
    with working(site, kind):
        first, again = (client.post(EXECUTE, json=body(models[0]), headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert (len(engine.requests), len(conquests(synthetic))) == (1, 1)
    other = client.post(EXECUTE, json=body(models[1]), headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/idempotency-key-used")


def test_a_model_that_is_not_live_is_brought_live_first_and_that_is_said(
    site: Site,
    client: TestClient,
    models: tuple[str, str],
    kind: ConquestKind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "WAIT_S", 0.3)
    answer = client.post(EXECUTE, json=body(models[1]))
    at, found = answer.headers["location"], answer.json()
    assert (answer.status_code, found["was_live"], found["stage"]) == (202, False, "waiting")
    assert found["message"] == "talent-v2 is not live; it is brought live first. It waits for its turn; before it: 0."
    monkeypatch.setattr(waiting, "WAIT_S", 20.0)
    with FakeEngine(models[0]) as engine, working(site, kind):
        engine.adapters[models[1]] = None  # type: ignore[assignment]  # as above
        seen = waiting.wait_until(site.database, lambda _: client.get(at).json(), lambda one: one["stage"] == "loading")
        assert seen["message"].startswith("talent-v2 is not live; it is brought live first.")
        waiting.wait_until(site.database, lambda session: serve.is_wanted(session, models[1]), bool)
        live(site, models, engine.url)
        done = waiting.wait_until(site.database, lambda _: client.get(at).json(), lambda one: one["stage"] == "over")
    assert done["result"]["text"]


def events(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block.split("\n") for block in answer.text.strip().split("\n\n") if not block.startswith(":")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


def test_a_stream_says_how_it_stands_and_ends_with_the_result(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind
) -> None:
    with working(site, kind):
        answer = client.post(EXECUTE, json=body(models[0], stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer)
    assert told[0][0] == "running"
    assert (told[-1][0], told[-1][1]["result"]["text"]) == ("done", f"Yes, says {models[0]}.")
    assert engine.requests[-1]["stream"] is True
    with working(site, kind):
        again = events(client.post(EXECUTE, json=body(models[0], stream=True, candidateId="candidate_2")))
    for each in (told, again):
        assert "".join(data["delta"] for name, data in each if name == "text") == f"Yes, says {models[0]}."


def test_the_text_is_heard_while_it_is_written_and_stays_nowhere(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind
) -> None:
    engine.delay_s = 1.0
    with working(site, kind):
        told = events(client.post(EXECUTE, json=body(models[0], stream=True)))
    texts = [data for name, data in told if name == "text"]
    assert len(texts) > 1
    assert [data["is_first"] for data in texts] == [True] + [False] * (len(texts) - 1)
    assert "".join(data["delta"] for data in texts) == told[-1][1]["result"]["text"]
    assert told[-1][1]["tokens"] > 0
    assert list(site.home.jobs.rglob("heard.jsonl")) == []


def test_nobody_hears_many_candidates(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind
) -> None:
    sent = {"eidosId": "eidos_1", "candidateIds": ["candidate_2", "candidate_3"], "modelId": models[0], **ADA}
    with working(site, kind):
        told = events(client.post(EXECUTE, json={**sent, "stream": True}))
    assert [name for name, _ in told if name == "text"] == []
    assert not any(request.get("stream") for request in engine.requests)


def test_what_failed_is_told_and_not_called_good(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind, synthetic: Any
) -> None:
    engine.faults.answer_500 = True
    with working(site, kind):
        answer = client.post(EXECUTE, json=body(models[0]))
        told = events(client.post(EXECUTE, json=body(models[0], stream=True)))
    assert answer.status_code in (409, 503), answer.text
    assert told[-1][0] == "failed"
    assert told[-1][1]["failure"]["summary"] == told[-1][1]["message"] != ""
    assert conquests(synthetic) == []


def test_an_answer_of_a_megabyte_comes_whole(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind, synthetic: Any
) -> None:
    long = "é" * 500_000 + "\x00 the end"
    engine.answer = lambda *_: long
    with working(site, kind):
        answer = client.post(EXECUTE, json=body(models[0]))
    assert answer.json()["result"]["text"] == long.replace("\x00", "\ufffd")
    assert conquests(synthetic)[0]["answer"]["response"] == long.replace("\x00", "\ufffd")


def test_unknown_ids_are_named(client: TestClient, models: tuple[str, str], synthetic: Any) -> None:
    sent = {"eidosId": "eidos_9", "candidateIds": ["candidate_1", "nobody", "candidate_4"], "modelId": models[0], **ADA}
    answer = client.post(EXECUTE, json=sent)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/subject-not-found")
    assert "no eidos eidos_9 and no candidate nobody, candidate_4" in answer.json()["detail"]
    alone = client.post(EXECUTE, json=body(models[0], eidosId="eidos_9"))
    assert (alone.status_code, "eidos_9" in alone.json()["detail"]) == (404, True)
    unknown = client.post(EXECUTE, json=body("no-model"))
    assert (unknown.status_code, "no-model" in unknown.json()["detail"]) == (404, True)
    assert client.get(EXECUTIONS).json()["executions"] == []


def test_what_is_half_said_is_refused(client: TestClient, models: tuple[str, str]) -> None:
    both = body(models[0], candidateIds=["candidate_1"])
    neither = {"eidosId": "eidos_1", "modelId": models[0]}
    for wrong in (
        both,
        neither,
        body(models[0], numExamples=21),
        body(models[0], eidos_id="x"),
        body(models[0], stream=3),
    ):
        assert client.post(EXECUTE, json=wrong).status_code == 422, wrong
    poetry = client.post(EXECUTE, json=body(models[0], conquestType="poetry"))
    assert poetry.json()["type"] == "/problems/conquest-type-unknown"


def test_no_value_is_ever_sql(client: TestClient, models: tuple[str, str], synthetic: Any) -> None:
    names = ("eidosId", "candidateId", "modelId", "philosopher", "domain", "conquestType")
    for name, evil in itertools.product(names, EVIL):
        answer = client.post(EXECUTE, json=body(models[0], **{name: evil}), headers={"Idempotency-Key": "'; --"})
        assert answer.status_code in (404, 422), answer.text
        assert SECRET not in answer.text
    assert client.get(EXECUTIONS).json()["executions"] == []
    assert conquests(synthetic) == []


def test_a_model_that_learned_from_another_organisation_s_stars_is_not_there(
    site: Site, client: TestClient, models: tuple[str, str], url: str
) -> None:
    with site.database.transaction() as session:
        wish = Wish(Scope(**EVE), system_text="You judge.")
        brought = service.export(session, site.home, Aristotle.at(url), wish, ExportRequest("Hers"), by=site.person)
        hers = session.get_one(FineTunedModel, models[1])
        hers.training_set_id = brought.training_set.id
        merged = make_base_model(session, by=site.person, name="hers-merged")
        merged.merged_from = hers.id
    for model_id in ("talent-v2", models[1], merged.id):
        answer = client.post(EXECUTE, json=body(model_id))
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/model-not-found")
    own = {"eidosId": "eidos_2", "candidateIds": ["candidate_4"], "modelId": "talent-v2"}
    assert client.post(EXECUTE, json=own).status_code == 202


def test_another_organisation_s_and_another_philosopher_s_rows_are_nobody_s(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind
) -> None:
    for wrong in (
        {"candidateId": "candidate_4"},
        {"eidosId": "eidos_2"},
        {**EVE},
        {"philosopher": "bob@acme.example", "domain": "acme.example"},
        {"domain": "evil.example"},
    ):
        answer = client.post(EXECUTE, json=body(models[0], **wrong))
        assert (answer.status_code, SECRET in answer.text) == (404, False), wrong
    with site.database.transaction() as session:
        eve = people.known_by_name(session, "Eve", domain="evil.example")
        base = make_base_model(session, by=eve, name="hers")
        _, key = people.add_key(session, "eve's", by=eve)
    program = site.client(authorization=f"Bearer {key}")
    ours = client.post(EXECUTE, json={"eidosId": "eidos_1", "candidateIds": ["row_1"], "modelId": models[0]}).json()
    assert program.post(EXECUTE, json=body(models[0])).status_code == 404, "our model"
    assert program.post(EXECUTE, json=body(base.id)).status_code == 404, "our eidos"
    assert program.post(EXECUTE, json=body(base.id, **ADA)).status_code == 403
    assert program.get(EXECUTIONS).json()["executions"] == []
    for path in (f"{EXECUTIONS}/{ours['id']}", f"{EXECUTIONS}/{ours['id']}/results"):
        assert program.get(path).status_code == 404
    hers = {"eidosId": "eidos_2", "candidateIds": ["candidate_4"], "modelId": base.id}
    assert program.post(EXECUTE, json=hers).status_code == 202


def test_null_prompts_and_a_lost_column_have_a_clear_answer(
    client: TestClient, models: tuple[str, str], synthetic: SyntheticAristotle
) -> None:
    synthetic.add_eidos(7, **ADA, prompt=None)
    empty = client.post(EXECUTE, json=body(models[0], eidosId="eidos_7"))
    assert (empty.status_code, empty.json()["type"]) == (422, "/problems/nothing-to-ask")
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql('ALTER TABLE "Candidate" DROP COLUMN domain')
    lost = client.post(EXECUTE, json=body(models[0]))
    assert (lost.status_code, lost.json()["type"]) == (409, "/problems/schema-not-known")
    assert "the column domain in Candidate, which says whose a row is" in lost.json()["detail"]
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql('DROP TABLE "Candidate"')
    gone = client.post(EXECUTE, json=body(models[0]))
    assert "ARISTOTLE_CANDIDATE_FROM" in gone.json()["hint"]


@pytest.mark.parametrize(
    "data", [{"prompt": "Ada, as a text."}, {"name": "Ada", "current_role": "lead"}, {"evaluation": {"x": 1}}]
)
def test_every_shape_of_data_is_asked_or_refused(
    site: Site,
    client: TestClient,
    models: tuple[str, str],
    engine: FakeEngine,
    kind: ConquestKind,
    synthetic: SyntheticAristotle,
    data: dict[str, Any],
) -> None:
    synthetic.add_candidate(8, **ADA, data=data)
    with working(site, kind):
        answer = client.post(EXECUTE, json=body(models[0], candidateId="candidate_8"))
    if "evaluation" in data:
        assert answer.json()["type"] == "/problems/nothing-to-ask"
    else:
        assert answer.status_code == 200
        assert "Ada" in engine.requests[-1]["messages"][-1]["content"]


def test_the_page_lists_the_last_ones(
    site: Site, client: TestClient, models: tuple[str, str], engine: FakeEngine, kind: ConquestKind, synthetic: Any
) -> None:
    browser = site.browser()
    assert "No conquest was run on a model of yours yet" in browser.get("/settings/aristotle").text
    with working(site, kind):
        client.post(EXECUTE, json=body("talent-v2"))
    client.post(EXECUTE, json={"eidosId": "eidos_1", "candidateIds": ["candidate_1", "row_2"], "modelId": models[0]})
    page = browser.get("/settings/aristotle").text
    assert conquests(synthetic)[0]["id"] in page
    assert f'href="/models/{models[1]}"' in page
    assert "0 of 2" in page
