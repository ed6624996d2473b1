"""An eidos and a candidate become what a model is asked, and good answers become the turns before it. Pure.

>>> asked(Subject("e1", {"prompt": "Is she right for us?"}), Subject("c1", {"name": "Ada", "company": None}))
Question(text='Is she right for us?\\n\\n{"name": "Ada"}', system_text=None, title='Ada')
"""

from collections.abc import Mapping, Sequence
from typing import Any

from goldsmith.connect.aristotle.shapes import as_json, prompt_of
from goldsmith.connect.conquests import Message, Question, Subject
from goldsmith.connect.errors import NothingToAsk
from goldsmith.connect.types import SourceItem
from goldsmith.run.messages import messages_for
from goldsmith.run.types import PromptDraft

_TEXTS = ("prompt", "prompt_template", "template", "instructions")
_NO_FACTS = (*_TEXTS, "system", "conquest_type", "data")
CANDIDATE = "candidate"
"""The variable of an eidos's text that stands for the whole candidate."""


def asked(eidos: Subject, candidate: Subject, *, chosen: str | None = None) -> Question:
    """The question. `chosen` is the system message for an eidos that has none.

    Raises NothingToAsk, PromptNotUsable, PromptVariableUnknown.
    """
    said = _prompt_of(eidos)
    about = _text_of(candidate)
    if not about:
        raise NothingToAsk(f"The candidate {candidate.id} holds nothing that a prompt could be made of.")
    own, system_text = said
    if not own:
        raise NothingToAsk(f"The eidos {eidos.id} holds nothing that a prompt could be made of.")
    text = _filled(own, candidate, about) if "{{" in own else f"{own}\n\n{about}"
    name = candidate.values.get("name")
    return Question(text, system_text if system_text is not None else chosen, str(name)[:255] if name else None)


def with_examples(
    question: Question, examples: Sequence[SourceItem], *, max_characters: int
) -> tuple[list[Message], list[str]]:
    """The chat, with as many of the examples before its question as fit; and the ids of those."""
    left = max_characters - question.num_characters
    turns: list[Message] = []
    ids: list[str] = []
    for example in examples:
        size = len(example.prompt) + len(example.answer)
        if size <= left:
            left -= size
            turns += [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.answer}]
            ids.append(example.external_id)
    system = question.system_text or ""
    first = [{"role": "system", "content": system}] if system.strip() else []
    return [*first, *turns, {"role": "user", "content": question.text}], ids


def best_of(items: Sequence[SourceItem], num: int, *, without: str) -> list[SourceItem]:
    """The best rated ones, the newest first among equals; none about the candidate that is asked about."""
    others = [item for item in items if item.subject_id != without]
    return sorted(others, key=lambda item: -(item.rating if item.rating is not None else 5))[:num]


def _prompt_of(eidos: Subject) -> tuple[str, str | None]:
    """Its text and its system message: from a column, or from `data` in any of its shapes."""
    system = eidos.values.get("system")
    for value in (*(eidos.values.get(word) for word in _TEXTS), eidos.values.get("data")):
        found = prompt_of(value)
        if found is not None:
            return found.text, system if isinstance(system, str) else found.system_text
    facts = {word: value for word, value in eidos.values.items() if word not in _NO_FACTS and _is_said(value)}
    return (as_json(facts) if facts else ""), system if isinstance(system, str) else None


def _text_of(candidate: Subject) -> str:
    facts = {word: value for word, value in candidate.values.items() if word != "data" and _is_said(value)}
    found = prompt_of(candidate.values.get("data"))
    parts = [as_json(facts) if facts else "", found.text if found is not None else ""]
    return "\n\n".join(part for part in parts if part)


def _filled(text: str, candidate: Subject, about: str) -> str:
    """An eidos's text with variables, filled as prompts are everywhere."""
    fields: Mapping[str, Any] = {**candidate.values, CANDIDATE: about}
    content = {word: value if isinstance(value, str) else as_json(value) for word, value in fields.items()}
    return messages_for(PromptDraft(text), content)[0]["content"]


def _is_said(value: Any) -> bool:
    return value not in (None, "", [], {}) and not (isinstance(value, str) and not value.strip())
