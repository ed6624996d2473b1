"""A second model answers along behind a real gateway; callers, the openai package among them, see nothing of it."""

import time

import openai
import pytest
from tests.web.gateway_site import HELLO, OTHER, TUNED, Running

from goldsmith.serve import aliases
from goldsmith.serve.shadow import queries, service
from goldsmith.serve.shadow.tables import ShadowPair
from goldsmith.serve.shadow.types import Shadow
from goldsmith.serve.types import Part

ALIAS = "support-desk"


def pairs(running: Running, num: int) -> list[ShadowPair]:
    """The pairs, once there are so many."""
    end = time.monotonic() + 30
    while True:
        with running.parts.database.reading() as session:
            found = queries.page(session, ALIAS, domain="local")
        if len(found) >= num or time.monotonic() > end:
            return found
        time.sleep(0.05)


@pytest.fixture
def shadowed(running: Running) -> Running:
    running.engine.go_on.set()
    with running.parts.database.transaction() as session:
        aliases.make(session, ALIAS, Part(TUNED, 1.0), by=running.person)
        service.answer_along(session, ALIAS, Shadow(OTHER, 1.0, max_at_once=8), by=running.person)
    running.refresh()
    return running


def test_both_answer_and_the_caller_is_sent_the_first_alone(shadowed: Running) -> None:
    for is_stream in (False, True):
        answer = shadowed.ask({**HELLO, "model": ALIAS, "stream": is_stream})
        assert answer.headers["x-goldsmith-model"] == TUNED
        assert OTHER not in answer.text
    assert shadowed.ask({**HELLO, "model": TUNED}).status_code == 200, "by its own name: no copy"
    with openai.OpenAI(base_url=f"{shadowed.url}/v1", api_key=shadowed.key, max_retries=0) as client:
        chat = client.chat.completions.create(model=ALIAS, messages=[{"role": "user", "content": "Hello"}])
    assert chat.choices[0].message.content == f"{TUNED} says hello"
    found = pairs(shadowed, 3)
    said = {(pair.question, pair.sent_answer, pair.shadow_answer, pair.shadow_error) for pair in found}
    assert (len(found), said) == (3, {("Hello", f"{TUNED} says hello", f"{OTHER} says hello", "")})


def test_a_second_model_that_the_engine_has_not_is_no_matter_to_callers(shadowed: Running) -> None:
    del shadowed.engine.adapters[OTHER]
    assert shadowed.ask({**HELLO, "model": ALIAS}).status_code == 200
    assert "does not have the model" in pairs(shadowed, 1)[0].shadow_error
