"""The demo's sample rows: whole, varied, balanced, learnable, and not trivial for a counter of words."""

import csv
import json
import math
import random
import re
from collections import Counter, defaultdict
from itertools import combinations
from typing import NamedTuple

import jsonschema
import pytest

from goldsmith.demo import story

NUM_ROWS = 300
NUM_DEMO_ROWS = 160
NUM_FOLDS = 5


class Row(NamedTuple):
    message: str
    expected: str
    topic: str
    urgency: str


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        assert reader.fieldnames == ["message", "expected"]
        read = [(line["message"], line["expected"]) for line in reader]
    return [
        Row(message, expected, answer["topic"], answer["urgency"])
        for message, expected in read
        for answer in [json.loads(expected)]
    ]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def four_grams(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[at : at + 4]) for at in range(len(found) - 3)}


def naive_bayes_guess(learned: list[tuple[list[str], str]], asked: list[list[str]], smoothing: float) -> list[str]:
    """Answer each question with the label that a multinomial naive Bayes finds most likely."""
    num_rows_of = Counter(label for _, label in learned)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for found, label in learned:
        counts[label].update(found)
    num_known = len({word for found, _ in learned for word in found})
    totals = {label: counts[label].total() + smoothing * num_known for label in counts}

    def score(label: str, found: list[str]) -> float:
        likelihoods = (math.log((counts[label][word] + smoothing) / totals[label]) for word in found)
        return math.log(num_rows_of[label] / len(learned)) + sum(likelihoods)

    return [max(sorted(counts), key=lambda label: score(label, found)) for found in asked]


def cross_validated_guesses(texts: list[list[str]], labels: list[str], smoothing: float) -> list[str]:
    """Guess every label from the other four fifths of the rows."""
    order = list(range(len(texts)))
    random.Random(7).shuffle(order)  # noqa: S311 - a fixed seed is what we want here
    guess_of: dict[int, str] = {}
    for fold in range(NUM_FOLDS):
        held_back = set(order[fold::NUM_FOLDS])
        learned = [(texts[at], labels[at]) for at in order if at not in held_back]
        asked = sorted(held_back)
        guess_of.update(zip(asked, naive_bayes_guess(learned, [texts[at] for at in asked], smoothing), strict=True))
    return [guess_of[at] for at in range(len(texts))]


def share_right(guesses: list[str], labels: list[str]) -> float:
    return sum(guess == label for guess, label in zip(guesses, labels, strict=True)) / len(labels)


def test_there_are_300_rows_and_all_differ(rows: list[Row]) -> None:
    assert len(rows) == NUM_ROWS
    assert len({tuple(words(row.message)) for row in rows}) == NUM_ROWS


def test_every_expected_answer_is_compact_json_that_the_schema_allows(rows: list[Row]) -> None:
    for row in rows:
        answer = {"topic": row.topic, "urgency": row.urgency}
        assert row.expected == json.dumps(answer, separators=(",", ":"))
        jsonschema.validate(answer, story.ANSWER_SCHEMA)


def test_messages_are_short_and_clean(rows: list[Row]) -> None:
    for row in rows:
        assert 5 <= len(row.message.split()) <= 50, row.message
        assert row.message == row.message.strip()
        assert not re.search(r"<\|", row.message), "a control word of a chat template"
        assert row.message[0] not in "=+-@", "a spreadsheet would take it for a formula"


def test_commas_quotes_newlines_and_accents_occur(rows: list[Row]) -> None:
    assert 2 <= sum("\n" in row.message for row in rows) <= 3
    assert sum("," in row.message for row in rows) > 20
    assert sum('"' in row.message for row in rows) > 5
    assert sum(not row.message.isascii() for row in rows) > 5


def test_no_two_messages_share_more_than_half_of_their_4_grams(rows: list[Row]) -> None:
    for (one, one_grams), (other, other_grams) in combinations([(r, four_grams(r.message)) for r in rows], 2):
        shared = len(one_grams & other_grams)
        assert shared <= 0.5 * min(len(one_grams), len(other_grams)), (one.message, other.message)


def test_topics_and_urgencies_are_balanced(rows: list[Row]) -> None:
    topics = Counter(row.topic for row in rows)
    urgencies = Counter(row.urgency for row in rows)
    assert set(topics) == set(story.TOPICS)
    assert set(urgencies) == set(story.URGENCIES)
    assert all(40 <= count <= 60 for count in topics.values())
    assert all(70 <= count <= 130 for count in urgencies.values())


def test_the_rows_that_the_short_demo_takes_are_balanced_too(rows: list[Row]) -> None:
    first = rows[:NUM_DEMO_ROWS]
    topics = Counter(row.topic for row in first)
    urgencies = Counter(row.urgency for row in first)
    assert all(topics[topic] >= 20 for topic in story.TOPICS)
    assert all(urgencies[urgency] >= 37 for urgency in story.URGENCIES)


@pytest.mark.parametrize("smoothing", [0.1, 0.3, 1.0])
def test_counting_words_is_above_chance_and_below_90_percent(rows: list[Row], smoothing: float) -> None:
    texts = [words(row.message) for row in rows]
    labels = [row.expected for row in rows]
    chance = max(Counter(labels).values()) / NUM_ROWS
    assert 2 * chance < share_right(cross_validated_guesses(texts, labels, smoothing), labels) < 0.9


@pytest.mark.parametrize("smoothing", [0.1, 0.3, 1.0])
def test_counting_words_for_topic_and_urgency_apart_stays_below_90_percent_too(
    rows: list[Row], smoothing: float
) -> None:
    texts = [words(row.message) for row in rows]
    topics, urgencies = [row.topic for row in rows], [row.urgency for row in rows]
    topic_guesses = cross_validated_guesses(texts, topics, smoothing)
    urgency_guesses = cross_validated_guesses(texts, urgencies, smoothing)
    assert share_right(topic_guesses, topics) > 0.5, "too hard to be learned from some hundred rows"
    assert share_right(urgency_guesses, urgencies) > 0.5, "too hard to be learned from some hundred rows"
    guesses = [f"{topic} {urgency}" for topic, urgency in zip(topic_guesses, urgency_guesses, strict=True)]
    assert share_right(guesses, [f"{row.topic} {row.urgency}" for row in rows]) < 0.9


def test_the_prompt_names_every_allowed_value_and_stays_short() -> None:
    for value in (*story.TOPICS, *story.URGENCIES):
        assert f"{value}:" in story.SYSTEM_TEXT
    assert len(story.SYSTEM_TEXT) < 550
    assert story.PROMPT_TEMPLATE == "{{message}}"
