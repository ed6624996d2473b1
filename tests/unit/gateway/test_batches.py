from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from goldsmith.errors import GoldsmithError
from goldsmith.gateway.batches import BatchRules
from goldsmith.serve.types import Target

CHATS = "/v1/chat/completions"
RULES = BatchRules()
MESSAGES = [{"role": "user", "content": "Hi"}]
OURS = Target("http://x", Path("k"), "bm_1", "eng_1", is_ready=True)
OUTSIDE = Target("http://x", Path("k"), "big", "eng_2", is_ready=True, is_ours=False, is_cpu_safe_needed=False)


def test_a_body_goes_out_as_it_was_checked_under_the_engine_s_name_of_the_model() -> None:
    checked = RULES.check(CHATS, {"model": "tiny", "messages": MESSAGES, "user": "me"})
    assert orjson.loads(RULES.for_target(CHATS, checked, OURS)) == {"model": "bm_1", "messages": MESSAGES}


def test_a_batch_stands_back_behind_who_chats_where_the_engine_understands_that() -> None:
    checked = RULES.check(CHATS, {"model": "tiny", "messages": MESSAGES})
    assert orjson.loads(RULES.for_target(CHATS, checked, replace(OURS, takes_priority=True)))["priority"] == 20
    assert "priority" not in orjson.loads(RULES.for_target(CHATS, checked, OURS))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"stream": True}, "stream"),
        ({"cache_salt": "ftm_1"}, "cache_salt"),
        ({"priority": -9}, "priority"),
        ({"n": 99}, "n"),
    ],
)
def test_what_the_gateway_refuses_is_refused_in_a_batch_too(more: dict[str, object], param: str) -> None:
    with pytest.raises(GoldsmithError) as refused:
        RULES.check(CHATS, {"messages": MESSAGES, **more})
    refusal = RULES.refusal(refused.value)
    assert refusal.status == 400
    assert refusal.content["error"]["param"] == param


def test_what_only_a_target_does_not_take_is_refused_for_it() -> None:
    checked = RULES.check(CHATS, {"messages": MESSAGES, "prompt_logprobs": 1})
    for target in (OURS, OUTSIDE):
        with pytest.raises(GoldsmithError):
            RULES.for_target(CHATS, checked, target)


def test_what_nobody_expected_is_told_as_the_request_s_fault() -> None:
    assert RULES.refusal(ValueError("odd")).status == 400
