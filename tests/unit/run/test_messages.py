import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.run.errors import AnswerSchemaNotUsable, PromptNotUsable, PromptVariableUnknown, RowNotAskable
from goldsmith.run.messages import check_schema, messages_for, parse_answer, variables_of
from goldsmith.run.types import PromptDraft

SCHEMA = {
    "type": "object",
    "properties": {"topic": {"enum": ["a", "b"]}},
    "required": ["topic"],
    "additionalProperties": False,
}


def asked(template: str, content: dict[str, str], system_text: str = "") -> str:
    return messages_for(PromptDraft(template, system_text), content)[-1]["content"]


def test_variables_are_named_once_in_their_order() -> None:
    assert variables_of("{{ b }} and {{a}} and {{b|trim}}") == ["b", "a"]


def test_a_column_may_have_any_name() -> None:
    assert asked("<{{ Customer's message (in file) }}>", {"Customer's message (in file)": "hi"}) == "<hi>"


@given(st.text(min_size=1).filter(str.strip))
def test_a_rows_text_reaches_the_model_unchanged(text: str) -> None:
    assert asked("{{message}}", {"message": text}) == text


@pytest.mark.parametrize("text", ["{{ 7 * 7 }}", "{% raw %}", "{# gone #}", '{"a": {"b": 1}}'])
def test_braces_in_a_row_are_only_text(text: str) -> None:
    assert asked("Say: {{message}}", {"message": text}) == f"Say: {text}"


@pytest.mark.parametrize("text", ['{"topic": "x"}', "{% if x %}", "{# a list #}", "100 % {sure}", "}}", "a\n"])
def test_everything_but_double_braces_is_ordinary_text_in_a_prompt(text: str) -> None:
    assert asked(text + "{{message}}", {"message": "m"}) == text + "m"


def test_the_system_text_comes_first_and_may_name_columns() -> None:
    messages = messages_for(PromptDraft("{{q}}", "You serve {{shop}}."), {"q": "hi", "shop": "Ann"})
    assert messages == [{"role": "system", "content": "You serve Ann."}, {"role": "user", "content": "hi"}]


def test_an_unknown_variable_is_named_with_the_columns_there_are() -> None:
    with pytest.raises(PromptVariableUnknown, match=r"\{\{mesage\}\}.*message, label"):
        asked("{{mesage}}", {"message": "", "label": ""})


@pytest.mark.parametrize("template", ["{{}}", "{{ | trim}}", "{{message", "{{message|execute}}", "{{ {x} }}"])
def test_a_broken_template_is_refused(template: str) -> None:
    with pytest.raises(PromptNotUsable):
        asked(template, {"message": "m"})


def test_a_filter_changes_the_text() -> None:
    assert asked('{{ message | trim }} {{ message | tojson }} "', {"message": ' a"b '}) == 'a"b " a\\"b " "'


def test_a_row_that_leaves_the_prompt_empty_is_not_asked() -> None:
    with pytest.raises(RowNotAskable):
        asked("{{message}}", {"message": "  "})


def test_a_prompt_of_messages_alone_asks_the_whole_conversation() -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "1?"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "2?"},
        {"role": "assistant", "content": "two"},
    ]
    messages = messages_for(PromptDraft("{{ messages }}"), {"messages": json.dumps(turns)})
    assert [turn["role"] for turn in messages] == ["system", "user", "assistant", "user"]
    assert messages[-1]["content"] == "2?"


def test_a_column_called_messages_that_holds_no_chat_is_text() -> None:
    assert asked("{{messages}}", {"messages": "[1, 2]"}) == "[1, 2]"


def test_without_a_schema_nothing_is_parsed() -> None:
    assert parse_answer("{}", None) == (None, None)


def test_an_answer_that_fits_is_parsed() -> None:
    assert parse_answer('{"topic": "a"}', SCHEMA) == ({"topic": "a"}, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "not JSON"),
        ('{"topic": "a"', "not JSON"),
        ('{"topic": NaN}', "not JSON"),
        ('{"topic": "c"}', "'topic'"),
        ("{}", "'topic' is a required property"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_an_answer_that_does_not_fit_says_why(text: str, words: str) -> None:
    error = parse_answer(text, SCHEMA)[1]
    assert error is not None
    assert words in error


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"properties": {"a": {"$ref": "http://example.org/x"}}}])
def test_a_schema_that_cannot_work_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(AnswerSchemaNotUsable):
        check_schema(schema)
