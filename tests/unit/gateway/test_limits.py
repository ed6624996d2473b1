"""In no minute more than was allowed, in OpenAI's words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.gateway.errors import TooManyRequests
from goldsmith.gateway.limits import CHARACTERS_A_TOKEN, MOST_GUESSED, WINDOW_S, Limiter
from goldsmith.people.types import Holder, Limits, Person

ADA = Person("per_1", "Ada")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def holder(key_id: str = "key_1", **limits: int) -> Holder:
    return Holder(key_id, ADA, Limits(**limits))


def is_let_in(limiter: Limiter, who: Holder, num_bytes: int = 4) -> bool:
    try:
        limiter.admit(who, num_bytes).close()
    except TooManyRequests:
        return False
    return True


def test_a_key_without_limits_is_not_counted() -> None:
    limiter = Limiter()
    for who in (None, holder()):
        with limiter.admitted(who, 10**6) as admitted:
            assert admitted is None


def test_after_so_many_requests_a_minute_the_next_waits_for_the_first_to_be_a_minute_old() -> None:
    clock = Clock()
    limiter, who = Limiter(clock), holder(requests_per_minute=3)
    for _ in range(3):
        assert is_let_in(limiter, who)
        clock.now += 10
    with pytest.raises(TooManyRequests) as refused:
        limiter.admit(who, 4)
    assert (refused.value.kind, refused.value.retry_after_s) == ("requests", 30)
    clock.now += 29.9
    assert not is_let_in(limiter, who)
    clock.now += 0.2
    assert is_let_in(limiter, who)
    assert not is_let_in(limiter, who)


def test_what_is_left_is_said_with_every_answer() -> None:
    clock = Clock()
    limiter, who = Limiter(clock), holder(requests_per_minute=3, tokens_per_minute=100)
    limiter.admit(who, 40).close()
    clock.now += 20
    headers = limiter.admit(who, 40).headers
    assert headers == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "60s",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "80",
        "x-ratelimit-reset-tokens": "60s",
    }


def test_tokens_are_guessed_first_and_counted_when_the_engine_has_said_them() -> None:
    limiter, who = Limiter(Clock()), holder(tokens_per_minute=100)
    admitted = limiter.admit(who, 40 * CHARACTERS_A_TOKEN)
    assert not is_let_in(limiter, who, 61 * CHARACTERS_A_TOKEN)
    admitted.saw(b'{"usage": {"prompt_tokens": 5, "total_to')
    admitted.saw(b'kens": 95, "completion_tokens": 90}}')
    admitted.close()
    assert not is_let_in(limiter, who, 6 * CHARACTERS_A_TOKEN)
    assert is_let_in(limiter, who, 5 * CHARACTERS_A_TOKEN)


def test_a_stream_that_does_not_say_its_tokens_counts_one_an_event() -> None:
    limiter, who = Limiter(Clock()), holder(tokens_per_minute=100)
    admitted = limiter.admit(who, 10 * CHARACTERS_A_TOKEN)
    for _ in range(70):
        admitted.saw(b"data: {}\n\n")
    admitted.close()
    assert not is_let_in(limiter, who, 21 * CHARACTERS_A_TOKEN)
    assert is_let_in(limiter, who, 20 * CHARACTERS_A_TOKEN)


def test_a_picture_is_not_taken_for_a_million_tokens() -> None:
    assert is_let_in(Limiter(Clock()), holder(tokens_per_minute=MOST_GUESSED), 10**7)


def test_what_is_in_work_is_limited_and_let_go_of_however_it_ends() -> None:
    limiter, who = Limiter(Clock()), holder(parallel_requests=2)
    with limiter.admitted(who, 4), limiter.admitted(who, 4):
        with pytest.raises(TooManyRequests, match="2 requests in work"):
            limiter.admit(who, 4)
        assert is_let_in(limiter, holder("key_2", parallel_requests=1))
    with pytest.raises(RuntimeError), limiter.admitted(who, 4):
        raise RuntimeError
    assert is_let_in(limiter, who)


def test_an_answer_that_comes_after_more_than_a_minute_no_longer_counts() -> None:
    clock = Clock()
    limiter, who = Limiter(clock), holder(tokens_per_minute=100)
    admitted = limiter.admit(who, 4)
    clock.now += WINDOW_S + 1
    assert is_let_in(limiter, who, 100 * CHARACTERS_A_TOKEN)
    admitted.saw(b'"total_tokens": 90')
    admitted.close()
    clock.now += WINDOW_S + 1
    assert is_let_in(limiter, who, 100 * CHARACTERS_A_TOKEN)


@given(
    st.integers(1, 6),
    st.lists(st.floats(0, 25), min_size=1, max_size=60),
)
def test_in_no_window_of_a_minute_more_gets_through(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    limiter, who, let_in = Limiter(clock), holder(requests_per_minute=limit), []
    for pause in pauses:
        clock.now += pause
        if is_let_in(limiter, who):
            let_in.append(clock.now)
    for at in let_in:
        assert sum(at <= other < at + WINDOW_S for other in let_in) <= limit


def test_the_wait_that_is_named_is_enough() -> None:
    clock = Clock()
    limiter, who = Limiter(clock), holder(tokens_per_minute=50)
    for num_bytes in (40, 80, 60):
        limiter.admit(who, num_bytes).close()
        clock.now += 7.3
    with pytest.raises(TooManyRequests) as refused:
        limiter.admit(who, 100)
    clock.now += refused.value.retry_after_s
    assert is_let_in(limiter, who, 100)


def test_the_error_is_openai_s() -> None:
    from goldsmith.gateway.answers import refused

    answer = refused(
        TooManyRequests("Too much.", kind="tokens", retry_after_s=7, headers={"x-ratelimit-limit-tokens": "5"})
    )
    told: Any = answer.body
    assert answer.status == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-ratelimit-limit-tokens"] == "5"
    assert b'"type":"tokens"' in told
    assert b'"code":"rate_limit_exceeded"' in told
