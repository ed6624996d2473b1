"""What the backend `openai` takes, and what it leaves to the provider."""

import pytest

from goldsmith.errors import Invalid
from goldsmith.testing.contracts.job_folder import CPU
from goldsmith.train.backends.openai import OpenAi
from goldsmith.train.recipe import for_backend, read_options


def test_what_nobody_chose_the_provider_chooses() -> None:
    chosen = read_options(OpenAi(), {"num_epochs": 3})
    assert chosen.in_effect() == {"num_epochs": 3}
    assert OpenAi().plan(chosen, CPU).settings["batch_size"] is None
    assert OpenAi().plan(read_options(OpenAi(), {}), CPU).at_provider


@pytest.mark.parametrize("option", ["lora_rank", "learning_rate", "max_length", "load_in_4bit", "method", "url", "key"])
def test_options_of_others_are_refused_by_their_name(option: str) -> None:
    with pytest.raises(Invalid, match=option):
        read_options(OpenAi(), {option: 8})


@pytest.mark.parametrize("suffix", ["", "a b", "-x", "x" * 41, 'x", "y'])
def test_a_suffix_is_a_plain_word(suffix: str) -> None:
    with pytest.raises(Invalid, match="suffix"):
        read_options(OpenAi(), {"suffix": suffix})


def test_a_dial_turns_only_what_it_has() -> None:
    assert for_backend(OpenAi(), {"num_epochs": 3, "lora_rank": 8, "patience": 2}) == {"num_epochs": 3}
