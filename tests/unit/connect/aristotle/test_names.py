"""Tables and columns are found under every name that they are known by, and what is missing is said."""

import pytest

from goldsmith.connect.aristotle.names import Layout, detect
from goldsmith.connect.aristotle.types import Generation
from goldsmith.connect.errors import SchemaNotKnown

OWNER = {"philosopher": "text", "domain": "text"}
STAR = {"is_gold_star": "boolean", "use_as_sample_response": "boolean", "analysis_type": "text", **OWNER}
DATA = {"data": "jsonb"}


def catalogue(conquest: str, rating: str, prompt: str, answer: str, *, key: str) -> dict[str, dict[str, str]]:
    return {
        conquest: {"id": "text", **OWNER},
        rating: {key: "text", **STAR},
        prompt: {key: "text", **DATA},
        answer: {key: "text", **DATA},
    }


V1 = catalogue(
    "conquest_analysis", "ml_analysis_rating", "conquest_prompt", "conquest_response", key="conquest_analysis_id"
)
V2 = catalogue("Conquest", "ml_analysis_rating", "ConquestPrompt", "ConquestResponse", key="conquestId")
V3 = catalogue("conquests", "ml_analysis_ratings", "conquest_prompts", "conquest_responses", key="conquest_id")


@pytest.mark.parametrize(("there", "generation"), [(V1, "V1"), (V2, "V2"), (V3, "V3")])
def test_each_generation_is_known(there: dict[str, dict[str, str]], generation: str) -> None:
    found = detect(there)
    assert found.generation is Generation(generation)
    assert [table.name for table in found.tables.values()] == list(there)


def test_documents_disagree_about_the_key_and_both_are_read() -> None:
    other = {
        name: {("conquest_analysis_id" if c == "conquest_id" else c): t for c, t in V3[name].items()} for name in V3
    }
    assert detect(other).rating.columns["key"] == "conquest_analysis_id"
    assert detect(V3).rating.columns["key"] == "conquest_id"


def test_camel_case_is_found_by_the_plain_word() -> None:
    found = detect({**V2, "Conquest": {**V2["Conquest"], "aristotleId": "text", "conquestType": '"ConquestType"'}})
    assert found.conquest.columns["aristotle_id"] == "aristotleId"
    assert found.conquest.types["conquest_type"] == '"ConquestType"'
    assert "Conquest.result" in found.missing


def test_the_newest_generation_is_read_and_the_others_are_named() -> None:
    found: Layout = detect({**V1, **V3})
    assert (found.generation, found.rating.name, found.others) == (
        Generation.V3,
        "ml_analysis_ratings",
        ("conquest_analysis",),
    )


def test_all_that_is_missing_is_said_at_once() -> None:
    there = {"Conquest": {"id": "text", "domain": "text"}, "ml_analysis_rating": V1["ml_analysis_rating"]}
    with pytest.raises(SchemaNotKnown) as caught:
        detect(there)
    for words in ("the column philosopher in Conquest", "a table of prompts (conquest_prompt", "a table of answers"):
        assert words in caught.value.message
    with pytest.raises(SchemaNotKnown, match=r"a table of conquests \(conquests, Conquest, conquest_analysis\)"):
        detect({})
