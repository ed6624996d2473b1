"""An eval in our words: how its rows are asked (a prompt), and what is expected of the answers. Pure.

The shapes are those of `/v1/evals` and `/v1/evals/{id}/runs`: an eval has `testing_criteria` (graders), a run has a
`data_source` with `input_messages`, `sampling_params` and the rows or the file that holds them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from goldsmith.connect.openai import templates
from goldsmith.connect.openai.types import Grading, Question
from goldsmith.data.readers import values
from goldsmith.run.messages import CHAT_COLUMN
from goldsmith.run.types import PromptDraft

EXPECTED: Final = "expected"
"""The column of right answers, where the eval composes them."""
_CHAT: Final = PromptDraft(f"{{{{{CHAT_COLUMN}}}}}")
_SYSTEM = ("system", "developer")


def question_of(run: Mapping[str, Any]) -> Question | None:
    """How a run asks its rows; None where it asks nothing, because its rows bring their answers."""
    source = _mapping(run.get("data_source"))
    asked = _mapping(source.get("input_messages"))
    schema = _schema(_mapping(source.get("sampling_params")))
    reference = asked.get("item_reference")
    if isinstance(reference, str):
        column = reference.removeprefix("item.")
        return Question(PromptDraft(_CHAT.template, answer_schema=schema), reference=column)
    turns = [_turn(message) for message in _list(asked.get("template"))]
    turns = [turn for turn in turns if turn["content"].strip()]
    if not turns:
        return None
    return _one_question(turns, schema) or Question(PromptDraft(_CHAT.template, answer_schema=schema), tuple(turns))


def grading_of(criteria: Sequence[Any]) -> Grading:
    """What the graders ask for. One right answer a row is what a comparison here knows; the rest is said."""
    expected: str | None = None
    judges: dict[str, PromptDraft] = {}
    notes: list[str] = []
    for grader in map(_mapping, criteria):
        name = f"The grader “{grader.get('name') or grader.get('type')}”"
        reference = _reference_of(grader)
        if reference is not None and expected is None:
            expected = reference
            notes.extend(f"{name} {words}" for words in _differences(grader))
        elif reference is not None:
            words = "also says which answer is right; a comparison here knows one right answer a row"
            notes.extend([f"{name} {words}."] if reference != expected else [])
        elif grader.get("type") in ("label_model", "score_model"):
            judge = _judge(grader)
            if judge is not None:
                judges[str(grader.get("name") or "judge")] = judge
            notes.append(f"{name} asks a model to judge. No comparison here does; {_kept(judge)}.")
        else:
            notes.append(f"{name} {_no_counterpart(grader)}")
    return Grading(expected, judges, tuple(notes))


def settings_notes(run: Mapping[str, Any]) -> tuple[str, ...]:
    """What a run was asked with that a prompt here does not hold."""
    source = _mapping(run.get("data_source"))
    params = _mapping(source.get("sampling_params"))
    said = [f"{name} {params[name]}" for name in sorted(params) if isinstance(params[name], int | float | str)]
    notes = [f"It was asked with {', '.join(said)}: choose the like when you run the prompt."] if said else []
    if params.get("tools"):
        notes.append("It offered tools to the model; a prompt here offers none.")
    return tuple(notes)


def columns_of(item: Mapping[str, Any], question: Question | None, grading: Grading) -> dict[str, str]:
    """One row of the eval as a row of our dataset."""
    row = templates.flat(item)
    chat = _conversation(item, row, question)
    if chat is not None:
        row = {CHAT_COLUMN: chat, **{name: text for name, text in row.items() if name != CHAT_COLUMN}}
    if grading.expected is not None and templates.only_column(grading.expected) is None:
        row[EXPECTED] = templates.filled(grading.expected, row)
    return row


def answer_column(grading: Grading) -> str | None:
    """The column that holds the right answers."""
    if grading.expected is None:
        return None
    return templates.only_column(grading.expected) or EXPECTED


def _conversation(item: Mapping[str, Any], row: Mapping[str, str], question: Question | None) -> str | None:
    if question is None or (question.turns is None and question.reference is None):
        return None
    if question.turns is not None:
        filled = [{**turn, "content": templates.filled(turn["content"], row)} for turn in question.turns]
        return values.text_of(filled)
    return values.text_of(_inside(item, question.reference or ""))


def _inside(item: Mapping[str, Any], path: str) -> Any:
    found: Any = item
    for name in path.split("."):
        found = _mapping(found).get(name)
    return found


def _one_question(turns: Sequence[Mapping[str, str]], schema: Mapping[str, Any] | None) -> Question | None:
    """A prompt of a system text and one question, where that is all there is and the question names a column."""
    systems = [turn for turn in turns if turn["role"] == "system"]
    others = [turn for turn in turns if turn["role"] != "system"]
    if list(turns[: len(systems)]) != systems or len(others) != 1 or others[0]["role"] != "user":
        return None
    template = templates.ours(others[0]["content"])
    if template == others[0]["content"]:
        return None
    system_text = "\n\n".join(templates.ours(turn["content"]) for turn in systems)
    return Question(PromptDraft(template, system_text, schema))


def _turn(message: Any) -> dict[str, str]:
    said = _mapping(message)
    role = str(said.get("role"))
    return {"role": "system" if role in _SYSTEM else role, "content": _text(said.get("content"))}


def _text(content: Any) -> str:
    """A message's text; parts that are no text (pictures, sound) are not kept."""
    parts = content if isinstance(content, list) else [content]
    return "".join(part if isinstance(part, str) else str(_mapping(part).get("text", "")) for part in parts)


def _reference_of(grader: Mapping[str, Any]) -> str | None:
    """The template of the right answer, where the grader holds the answer against one."""
    kind, reference = grader.get("type"), grader.get("reference")
    is_beside_answer = templates.is_answer(str(grader.get("input", "")))
    is_about_equal = kind == "text_similarity" or (kind == "string_check" and grader.get("operation") != "ne")
    return reference if is_about_equal and is_beside_answer and isinstance(reference, str) else None


def _differences(grader: Mapping[str, Any]) -> list[str]:
    if grader.get("type") == "text_similarity":
        measure, least = grader.get("evaluation_metric", "a measure"), grader.get("pass_threshold")
        least_said = f" from {least} on" if least is not None else ""
        return [f"takes similar texts for right ({measure}{least_said}); here an answer must be equal."]
    match grader.get("operation"):
        case "like":
            return ["is content when the answer contains the text; here it must be equal."]
        case "ilike":
            return [
                "is content when the answer contains the text, whatever its capitals; here it must be equal, "
                "and what is equal but for capitals and spaces is counted beside it."
            ]
    return []


def _judge(grader: Mapping[str, Any]) -> PromptDraft | None:
    """The judge's question as a prompt, to be run over a table of answers."""
    turns = [_turn(message) for message in _list(grader.get("input"))]
    system_text = "\n\n".join(templates.ours(turn["content"]) for turn in turns if turn["role"] == "system")
    asked = "\n\n".join(turn["content"] for turn in turns if turn["role"] != "system" and turn["content"].strip())
    template = templates.ours(asked)
    if template == asked:
        return None
    labels = [label for label in _list(grader.get("labels")) if isinstance(label, str)]
    kind: dict[str, Any] = {"type": "string", "enum": labels} if labels else {"type": "number"}
    name = "label" if labels else "score"
    schema = {"type": "object", "properties": {name: kind}, "required": [name], "additionalProperties": False}
    return PromptDraft(template, system_text, schema)


def _kept(judge: PromptDraft | None) -> str:
    if judge is None:
        return "its question names no column, so it is left out"
    return f"its question is kept as a prompt, to be run over a table of answers with a column {templates.SAMPLE}"


def _no_counterpart(grader: Mapping[str, Any]) -> str:
    match grader.get("type"):
        case "python":
            return "is a program. Programs that came with a file are never run here."
        case "string_check" if grader.get("operation") == "ne":
            return "says what the answer must not be; there is no counterpart."
        case "string_check" | "text_similarity":
            return (
                f"looks at {str(grader.get('input', ''))[:80]!r} instead of the whole answer; there is no counterpart."
            )
    return f"is of the kind {str(grader.get('type'))[:40]!r}; there is no counterpart."


def _schema(params: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The JSON schema that answers were held to, in either of the two places where a run says it."""
    of_chat = _mapping(_mapping(params.get("response_format")).get("json_schema")).get("schema")
    of_response = _mapping(_mapping(params.get("text")).get("format")).get("schema")
    found = of_chat or of_response
    return found if isinstance(found, dict) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
