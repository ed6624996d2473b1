"""The gateway between a real server on loopback and a stand-in for vLLM, as callers see it."""

import asyncio
import threading
import time
from typing import Any

import httpx2
import openai
import pytest
from tests.web.gateway_site import (
    BASE,
    ENGINE,
    ENGINE_KEY,
    HELLO,
    OTHER,
    TUNED,
    WAIT_S,
    GatedEngine,
    Running,
    deployment,
    engine_row,
    lines_of,
)

from goldsmith.people import service as people
from goldsmith.people.types import Limits
from goldsmith.serve import service
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import key_path
from goldsmith.storage.files import write_whole
from goldsmith.web.sign_in import FRESH_S


def test_an_answer_comes_back_with_who_gave_it_and_only_our_headers_go_out(running: Running) -> None:
    with running.client() as client:
        response = client.post(
            "/v1/chat/completions",
            json={**HELLO, "model": "support"},
            headers={"X-Secret": "s", "Cookie": "a=b", "Forwarded": "for=1"},
        )
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == f"{TUNED} says hello"
    assert response.headers["x-goldsmith-model"] == TUNED
    assert response.headers["x-goldsmith-engine"] == ENGINE
    assert running.engine.requests[-1] == {**HELLO, "model": TUNED}
    sent = running.engine.headers[-1]
    assert sent["Authorization"] == f"Bearer {ENGINE_KEY}"
    assert set(sent) <= {
        "Host",
        "Authorization",
        "Content-Type",
        "Content-Length",
        "Accept",
        "Accept-Encoding",
        "User-Agent",
    }


def test_a_stream_arrives_word_by_word(running: Running) -> None:
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)
        assert TUNED in next(lines)  # it is here while the engine still holds the rest back
        assert not running.engine.go_on.is_set()
        running.engine.go_on.set()
        assert "says" in next(lines)
        assert list(lines)[-1] == "data: [DONE]"
        assert r.headers["content-type"].startswith("text/event-stream")


def test_when_the_caller_goes_the_engine_stops(running: Running) -> None:
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)  # held on to: a generator that is thrown away closes its stream
        next(lines)
        assert not running.engine.was_aborted.is_set()
    assert running.engine.was_aborted.wait(WAIT_S)


def test_a_caller_who_goes_before_the_first_word_stops_the_engine_too(running: Running) -> None:
    running.engine.faults.hang = True
    with running.client() as client, pytest.raises(httpx2.TimeoutException):
        client.post("/v1/chat/completions", json=HELLO, timeout=0.3)
    end = time.monotonic() + WAIT_S
    while running.engine.num_running and time.monotonic() < end:
        time.sleep(0.01)
    assert running.engine.num_running == 0


def test_a_stream_that_breaks_off_says_so(running: Running) -> None:
    running.engine.breaks_off = True
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)
        next(lines)
        running.engine.go_on.set()
        rest = list(lines)
    assert "engine_unreachable" in rest[-1]
    assert "data: [DONE]" not in rest


@pytest.mark.parametrize("name", [None, "", "default", "support", TUNED])
def test_no_name_the_alias_the_name_and_the_id_lead_to_the_same_model(running: Running, name: str | None) -> None:
    response = running.ask(HELLO if name is None else {**HELLO, "model": name})
    assert response.headers["x-goldsmith-model"] == TUNED


@pytest.mark.parametrize("name", [BASE, "smollm2", "HuggingFaceTB/SmolLM2"])
def test_a_base_model_answers_to_its_hub_id(running: Running, name: str) -> None:
    assert running.ask({**HELLO, "model": name}).headers["x-goldsmith-model"] == BASE


def test_after_a_switch_the_next_request_goes_to_the_new_model(running: Running) -> None:
    for model_id in (OTHER, TUNED, OTHER):
        with running.parts.database.transaction() as session:
            service.switch(session, model_id, by=running.person)
        running.refresh()
        assert running.ask(HELLO).headers["x-goldsmith-model"] == model_id


def test_an_unknown_model_is_told_what_there_is(running: Running) -> None:
    response = running.ask({**HELLO, "model": "gpt-4o"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"
    assert "support" in response.json()["error"]["message"]


@pytest.mark.parametrize("gateway_wait_s", [0.5])
def test_an_engine_that_is_starting_is_said_and_when_to_come_back(running: Running) -> None:
    with running.parts.database.transaction() as session:
        session.get_one(Engine, ENGINE).state = "starting"
    running.refresh()
    response = running.ask(HELLO)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_not_ready")
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("gateway_wait_s", [0.5])
def test_a_dead_engine_is_said(running: Running) -> None:
    running.engine.stop()
    response = running.ask(HELLO)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_unreachable")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"cache_salt": "x"}, "cache_salt"),
        ({"chat_template_kwargs": {"chat_template": "x"}}, "chat_template_kwargs.chat_template"),
        ({"prompt_logprobs": 1}, "prompt_logprobs"),
        ({"n": 99}, "n"),
    ],
)
def test_refused_fields_never_reach_the_engine(running: Running, more: dict[str, Any], param: str) -> None:
    response = running.ask({**HELLO, **more})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert running.engine.requests == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models")])
@pytest.mark.parametrize("authorization", [None, "Bearer gsk_wrong", "Basic x"])
def test_a_key_is_needed(running: Running, method: str, path: str, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    with httpx2.Client(base_url=running.url, headers=headers, trust_env=False) as client:
        response = client.request(method, path, json=HELLO if method == "POST" else None)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert running.engine.requests == []


def test_a_revoked_key_is_worthless_within_two_seconds(running: Running) -> None:
    assert running.ask(HELLO).status_code == 200
    with running.parts.database.transaction() as session:
        people.revoke_key(session, running.key_id)
    end = time.monotonic() + 2
    while (status := running.ask(HELLO).status_code) == 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert status == 401


def test_a_foreign_host_is_turned_away_whatever_the_key(running: Running) -> None:
    with running.client() as client:
        response = client.post("/v1/chat/completions", json=HELLO, headers={"Host": "evil.example"})
    assert response.status_code == 421
    assert running.engine.requests == []


@pytest.mark.parametrize("path", ["/invocations", "/tokenize", "/v1/load_lora_adapter", "/pause", "/update_weights"])
def test_what_is_not_on_the_list_is_not_passed_on(running: Running, path: str) -> None:
    assert running.ask(HELLO, path).status_code == 404
    assert running.engine.headers == []


def test_what_the_engine_cannot_do_is_said_in_openai_s_shape(running: Running) -> None:
    response = running.ask({"input": "Hello"}, "/v1/responses")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_offered_by_engine")


def test_the_official_client_works_by_changing_its_base_url_alone(running: Running) -> None:
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0) as client:
        assert "default" in [model.id for model in client.models.list()]
        assert client.models.retrieve("HuggingFaceTB/SmolLM2").owned_by == "goldsmith"
        answer = client.chat.completions.create(model="support", messages=[{"role": "user", "content": "Hi"}])
        assert answer.choices[0].message.content == f"{TUNED} says hello"
        running.engine.go_on.set()
        stream = client.chat.completions.create(
            model="default", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == f"{TUNED} says hello"
        text = client.completions.create(model="smollm2", prompt="Hi", max_tokens=3)
        assert text.choices[0].text
        with pytest.raises(openai.NotFoundError, match="gpt-4o"):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    with (
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="gsk_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_fifty_callers_at_once_all_get_their_own_answer(running: Running) -> None:
    async def ask(client: httpx2.AsyncClient, name: str, model_id: str) -> bool:
        response = await client.post("/v1/chat/completions", json={**HELLO, "model": name})
        return bool(response.json()["choices"][0]["message"]["content"] == f"{model_id} says hello")

    async def run() -> list[bool]:
        headers = {"Authorization": f"Bearer {running.key}"}
        async with httpx2.AsyncClient(base_url=running.url, headers=headers, timeout=WAIT_S, trust_env=False) as client:
            return await asyncio.gather(*(ask(client, *pair) for pair in [("support", TUNED), ("other", OTHER)] * 25))

    assert all(asyncio.run(run()))


def limit(running: Running, **limits: int) -> None:
    """Set the key's limits, and wait until the door knows them."""
    with running.parts.database.transaction() as session:
        people.limit_key(session, running.key_id, Limits(**limits))
    time.sleep(FRESH_S + 0.1)
    with running.client() as client:
        client.get("/v1/models")  # the table is read again meanwhile
        time.sleep(0.3)


def test_who_has_asked_too_much_is_told_so_in_openai_s_words_and_when_to_come_back(running: Running) -> None:
    assert "x-ratelimit-limit-requests" not in running.ask(HELLO).headers
    limit(running, requests_per_minute=2, tokens_per_minute=5_000)
    first, second, third = (running.ask(HELLO) for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert int(second.headers["x-ratelimit-remaining-tokens"]) < 5_000
    assert third.json()["error"]["type"] == "requests"
    assert third.json()["error"]["code"] == "rate_limit_exceeded"
    assert 0 < int(third.headers["retry-after"]) <= 60
    with (
        openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0) as client,
        pytest.raises(openai.RateLimitError),
    ):
        client.chat.completions.create(model="support", messages=[{"role": "user", "content": "Hi"}])
    assert len(running.engine.requests) == 3


def test_of_a_key_s_requests_only_so_many_are_in_work_at_once(running: Running) -> None:
    limit(running, parallel_requests=1)
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)
        next(lines)
        assert running.ask(HELLO).status_code == 429
        running.engine.go_on.set()
        assert list(lines)[-1] == "data: [DONE]"
    assert running.ask(HELLO).status_code == 200


def test_who_comes_while_an_engine_starts_waits_for_it_instead_of_getting_an_error(running: Running) -> None:
    with running.parts.database.transaction() as session:
        session.get_one(Engine, ENGINE).state = "starting"
    running.refresh()

    def get_ready() -> None:
        time.sleep(0.2)
        with running.parts.database.transaction() as session:
            session.get_one(Engine, ENGINE).state = "ready"
        running.refresh()

    thread = threading.Thread(target=get_ready)
    thread.start()
    assert running.ask(HELLO).status_code == 200
    thread.join()


def test_who_comes_while_an_engine_is_started_again_waits_for_it_too(running: Running) -> None:
    port = running.engine.port
    running.engine.stop()
    again = GatedEngine()
    again.port, again.adapters = port, running.engine.adapters
    thread = threading.Timer(0.2, again.start)
    thread.start()
    assert running.ask(HELLO).status_code == 200
    thread.join()
    again.stop()


def test_of_two_engines_with_one_model_the_less_busy_one_is_asked_and_one_that_is_away_does_no_harm(
    running: Running,
) -> None:
    other, other_id = GatedEngine(), "eng_06FZ2C8K5Q7V3N9T1B4R"
    write_whole(running.parts.home.root / key_path(other_id), ENGINE_KEY)
    with other:
        with running.parts.database.transaction() as session:
            row = engine_row(other.url, running.person)
            row.id = other_id
            session.add(row)
            session.flush()
            more = deployment(BASE, running.person)
            more.id, more.engine_id = "dep_06FZ2C8K5Q7V3N9T1B4S", other_id
            session.add(more)
        running.refresh()
        ask = {**HELLO, "model": BASE}
        with (
            running.client() as client,
            client.stream("POST", "/v1/chat/completions", json={**ask, "stream": True}) as busy,
        ):
            lines = lines_of(busy)
            next(lines)
            answered = running.ask(ask).headers["x-goldsmith-engine"]
            assert {busy.headers["x-goldsmith-engine"], answered} == {ENGINE, other_id}
            running.engine.go_on.set()
            other.go_on.set()
    assert [running.ask(ask).headers["x-goldsmith-engine"] for _ in range(4)] == [ENGINE] * 4
