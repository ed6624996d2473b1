"""Questions that share nearly all of their words: they teach little that is new, and one of them may be in the exam.

Words that most rows have are those of the prompt and say nothing. Of the others, two questions have to share four in
five. Sought by their rarest words, so that not every row is compared with every other.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import Final

from goldsmith.stars.types import Example, Finding
from goldsmith.storage.text import plain

TITLE: Final = "Questions that are nearly the same"
CANNOT_SEE: Final = "The same meaning in other words or in another language, and questions of fewer than five words."
LEAST_SHARE = 0.8
FEWEST_WORDS = 5
_WORD = re.compile(r"\w+")


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each example with an earlier one that is nearly the same."""
    for example, other in pairs(examples):
        words = f"Nearly the same question as in row {other.position}."
        yield Finding(example.run_id, example.position, example.answer_id, words)


def pairs(examples: Sequence[Example], *, held_back: int | None = None) -> Iterator[tuple[Example, Example]]:
    """Each example with the first earlier one that shares nearly all of its words, without being equal.

    With `held_back` only that many at the end are compared, each with those before them all.
    """
    asked = ["\n".join(plain(turn["content"]) for turn in example.asked) for example in examples]
    words = _telling([set(_WORD.findall(text)) for text in asked])
    num_with = Counter(word for each in words for word in each)
    by_word: dict[str, list[int]] = defaultdict(list)
    first_compared = 0 if held_back is None else len(examples) - held_back
    for number, own in enumerate(words):
        if len(own) < FEWEST_WORDS:
            continue
        rarest = sorted(own, key=lambda word: (num_with[word], word))[: len(own) - ceil(LEAST_SHARE * len(own)) + 1]
        if number >= first_compared:
            earlier = (other for word in rarest for other in by_word[word] if asked[other] != asked[number])
            near = next((other for other in earlier if _is_near(own, words[other])), None)
            if near is not None:
                yield examples[number], examples[near]
        if held_back is None or number < first_compared:
            for word in rarest:
                by_word[word].append(number)


def _is_near(one: set[str], other: set[str]) -> bool:
    """Whether they share enough; most sets differ too much in size to do so, which is seen at once."""
    if not LEAST_SHARE * len(one) <= len(other) <= len(one) / LEAST_SHARE:
        return False
    num_shared = len(one & other)
    return num_shared >= LEAST_SHARE * (len(one) + len(other) - num_shared)


def _telling(words: list[set[str]]) -> list[set[str]]:
    """Without the words that more than half of the rows have."""
    num_with = Counter(word for each in words for word in each)
    common = {word for word, number in num_with.items() if number > max(2, len(words) / 2)}
    return [each - common for each in words]
