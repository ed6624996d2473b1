"""Questions that share nearly all of their words: they teach little that is new, and one of them may be in the exam.

Words that most rows have are those of the prompt and say nothing. Of the others, two questions have to share four in
five. Sought by their rarest words first, so ten thousand rows take about a second.
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
    found = set()
    for example, other in pairs(examples):
        if example.answer_id not in found:
            found.add(example.answer_id)
            words = f"Nearly the same question as in row {other.position}."
            yield Finding(example.run_id, example.position, example.answer_id, words)


def pairs(examples: Sequence[Example]) -> Iterator[tuple[Example, Example]]:
    """Each example with each earlier one that shares nearly all of its words; equal questions are not among them."""
    asked = ["\n".join(plain(turn["content"]) for turn in example.asked) for example in examples]
    words = _telling([set(_WORD.findall(text)) for text in asked])
    num_with = Counter(word for each in words for word in each)
    by_word: dict[str, list[int]] = defaultdict(list)
    for number, own in enumerate(words):
        if len(own) < FEWEST_WORDS:
            continue
        rarest = sorted(own, key=lambda word: (num_with[word], word))[: len(own) - ceil(LEAST_SHARE * len(own)) + 1]
        for other in sorted({earlier for word in rarest for earlier in by_word[word]}):
            is_near = len(own & words[other]) >= LEAST_SHARE * len(own | words[other])
            if is_near and asked[number] != asked[other]:
                yield examples[number], examples[other]
        for word in rarest:
            by_word[word].append(number)


def _telling(words: list[set[str]]) -> list[set[str]]:
    """Without the words that more than half of the rows have."""
    num_with = Counter(word for each in words for word in each)
    common = {word for word, number in num_with.items() if number > max(2, len(words) / 2)}
    return [each - common for each in words]
