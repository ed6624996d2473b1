"""OpenAI's variables become columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.connect.openai import templates
from goldsmith.run.messages import variables_of


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("{{item.text}}", "{{text}}"),
        ("{{ item.text }} and {{item.a.b}}", "{{text}} and {{a.b}}"),
        ("{{sample.output_text}}", "{{sample.output_text}}"),
        ("no variable, {{neither}}", "no variable, {{neither}}"),
    ],
)
def test_the_name_of_the_column_is_what_stands_behind_item(theirs: str, ours: str) -> None:
    assert templates.ours(theirs) == ours


def test_one_variable_alone_is_a_column() -> None:
    assert templates.only_column(" {{ item.label }} ") == "label"
    assert templates.only_column("{{item.label}}!") is None
    assert templates.only_column("{{sample.output_text}}") is None
    assert templates.is_answer("{{ sample.output_text }}")
    assert not templates.is_answer("{{ sample.output_json.topic }}")


def test_what_lies_inside_an_object_has_a_dotted_name() -> None:
    row = templates.flat({"a": {"b": {"c": 1}, "d": None}, "e": [1, "x"], "f": {}})
    assert row == {"a.b.c": "1", "a.d": "", "e": '[1,"x"]', "f": "{}"}
    assert templates.filled("{{item.a.b.c}}/{{ item.e }}/{{item.gone}}", row) == '1/[1,"x"]/'


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=20), min_size=1))
def test_a_template_of_all_columns_names_each_of_them_and_is_filled_with_them(item: dict[str, str]) -> None:
    theirs = "|".join(f"{{{{item.{name}}}}}" for name in item)
    assert variables_of(templates.ours(theirs)) == list(item)
    assert templates.filled(theirs, templates.flat(item)) == "|".join(item.values())
