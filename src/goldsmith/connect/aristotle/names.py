"""Finds Aristotle's tables and columns under whichever names they have, in a catalogue of what is there. Pure.

Three generations are known, and documents about them disagree; so every name is looked for, none is taken as given, and
what was not found is said.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from goldsmith.connect.aristotle.types import Generation
from goldsmith.connect.errors import SchemaNotKnown

Catalogue = Mapping[str, Mapping[str, str]]
"""Table → column → its type, as PostgreSQL calls it."""

CONQUESTS = {"conquests": Generation.V3, "Conquest": Generation.V2, "conquest_analysis": Generation.V1}
"""The table of conquests of each generation, the newest first."""
_RATINGS = ("ml_analysis_rating", "ml_analysis_ratings", "MlAnalysisRating")
_PROMPTS = ("conquest_prompt", "conquest_prompts", "ConquestPrompt")
_ANSWERS = ("conquest_response", "conquest_responses", "ConquestResponse")
_KEYS = ("conquest_id", "conquest_analysis_id", "conquestId", "conquestAnalysisId")
_SYSTEM = ("system_message", "system_prompt", "systemMessage", "systemPrompt")
TABLES = (*CONQUESTS, *_RATINGS, *_PROMPTS, *_ANSWERS)
MODEL_COLUMN = "fine_tuned_model_id"

_NEEDED = {
    "conquest": ("id", "philosopher", "domain"),
    "rating": ("key", "is_gold_star", "use_as_sample_response", "philosopher", "domain", "analysis_type"),
    "prompt": ("key", "data"),
    "answer": ("key", "data"),
}
_USEFUL = {
    "conquest": (
        *("conquest_type", "aristotle_id", "title", "status", "result", "result_notes", "use_as_example"),
        *("evaluated_by", "evaluated_at", "created_at", "updated_at", MODEL_COLUMN, "system"),
        *("eidos_id", "started_at", "completed_at", "execution_time_ms"),
    ),
    "rating": ("id", "rating", "feedback", "created_at", "updated_at"),
    "prompt": ("id", "updated_at"),
    "answer": ("id", "updated_at"),
}


@dataclass(frozen=True)
class Found:
    """A table under its real name, with the real name and the type of each column that we know."""

    name: str
    columns: Mapping[str, str]
    """Our word → the column."""
    types: Mapping[str, str]
    """Our word → the column's type."""

    def has(self, word: str) -> bool:
        """Whether the table has such a column."""
        return word in self.columns


@dataclass(frozen=True)
class Layout:
    """How this database names things."""

    generation: Generation
    conquest: Found
    rating: Found
    prompt: Found
    answer: Found
    others: tuple[str, ...] = ()
    """Tables of conquests of other generations, which are not read."""

    @property
    def tables(self) -> dict[str, Found]:
        """Our word → table."""
        return {"conquest": self.conquest, "rating": self.rating, "prompt": self.prompt, "answer": self.answer}

    @property
    def missing(self) -> list[str]:
        """Columns that would be useful and are not there, as `table.column`."""
        return [
            f"{found.name}.{word}"
            for kind, found in self.tables.items()
            for word in _USEFUL[kind]
            if not found.has(word) and word != "system"
        ]


def detect(catalogue: Catalogue) -> Layout:
    """How the database names things. Raises SchemaNotKnown, which lists all that was not found."""
    there = [name for name in CONQUESTS if name in catalogue]
    lacks: list[str] = []
    if not there:
        lacks.append(f"a table of conquests ({', '.join(CONQUESTS)})")
    generation = CONQUESTS[there[0]] if there else Generation.V1
    tables = {"conquest": there[0] if there else None}
    for kind, names in (("rating", _RATINGS), ("prompt", _PROMPTS), ("answer", _ANSWERS)):
        ordered = _by_generation(names, generation)
        tables[kind] = next((name for name in ordered if name in catalogue), None)
        if tables[kind] is None:
            lacks.append(f"a table of {kind}s ({', '.join(ordered)})")
    found = {kind: _find(kind, name, catalogue[name], lacks) for kind, name in tables.items() if name is not None}
    if lacks:
        raise SchemaNotKnown(f"Not found: {'; '.join(lacks)}.")
    return Layout(generation, found["conquest"], found["rating"], found["prompt"], found["answer"], tuple(there[1:]))


def _by_generation(names: Sequence[str], generation: Generation) -> list[str]:
    """The plural first in the third generation."""
    return sorted(names, key=lambda name: name.endswith("s") != (generation is Generation.V3))


def _find(kind: str, name: str, columns: Mapping[str, str], lacks: list[str]) -> Found:
    found = columns_of((*_NEEDED[kind], *_USEFUL[kind]), columns)
    missing = [word for word in _NEEDED[kind] if word not in found]
    lacks.extend(f"the column {' or '.join(spellings(word))} in {name}" for word in missing)
    return Found(name, found, {word: columns[column] for word, column in found.items()})


def columns_of(words: Iterable[str], columns: Collection[str]) -> dict[str, str]:
    """Of these words, those that a table has a column for: our word → the column."""
    found = {word: next((each for each in spellings(word) if each in columns), None) for word in words}
    return {word: column for word, column in found.items() if column is not None}


def spellings(word: str) -> tuple[str, ...]:
    """How a column that means `word` may be written, the likeliest first."""
    if word == "key":
        return _KEYS
    if word == "system":
        return _SYSTEM
    first, *rest = word.split("_")
    camel = first + "".join(part.capitalize() for part in rest)
    return tuple(dict.fromkeys((word, camel)))
