"""Messages to text to token ids and labels: the only place that does it, so the only place where it can be wrong.

Uses the model's own chat template (sandboxed) and `tokenizers`, never torch. The prompt is rendered and encoded as
in generation; the answer with its end marker is encoded apart and joined to it. So a learned answer begins exactly
where the model will begin to write, whatever white space it starts with. Called by run, stars, train and serve.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Template, TemplateError

from goldsmith.models import tokenizer_files
from goldsmith.models.chats import Message, Messages, check_chat
from goldsmith.models.errors import ChatNotUsable, ControlWordInText, ModelRefused, TemplateNotUsable
from goldsmith.models.sandbox import RefusedByTemplate, chat_template_environment, render_within

if TYPE_CHECKING:
    from tokenizers import Tokenizer

RENDERING_VERSION = 1
"""Counts up whenever the same messages give other ids or labels; rendered files of older versions are not reused."""
TEMPLATE_DATE = date(2026, 1, 1)
"""What templates that ask for the date are told, so that the same rows give the same tokens on every day."""
NOT_LEARNED = -100
"""The label of a position that teaches nothing."""
PROBE_QUESTION = "probe question"
PROBE_ANSWER = "probe-answer-7f3a"


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """What an engine reads before it writes its answer."""

    text: str
    token_ids: list[int]


@dataclass(frozen=True, slots=True)
class RenderedExample:
    """What is trained on: ids, and as many labels, which are `NOT_LEARNED` for the prompt."""

    token_ids: list[int]
    labels: list[int]
    text_prompt: str
    text_answer: str
    """The answer as the template writes it, with its end marker: exactly what the learned ids decode to."""

    @property
    def num_learned_tokens(self) -> int:
        """How many positions teach something."""
        return sum(label != NOT_LEARNED for label in self.labels)


@dataclass(frozen=True, slots=True)
class CutResult:
    """What a limit on the tokens would take from an example's end."""

    num_tokens_cut: int
    num_learned_tokens_cut: int
    num_learned_tokens_left: int
    is_end_marker_learned: bool
    """Whether the model would still learn to stop."""
    text_cut: str


class _Turn(NamedTuple):
    """What the template puts around an answer, found out once with a probe."""

    before: str
    """White space between the prompt and the answer; usually none."""
    until_marker: str
    """From the answer's end to the end marker, which is part of it."""
    marker: str
    """The end marker alone."""
    after: str
    """What follows the end marker: neither learned nor included."""


class Renderer:
    """One base model's template and tokenizer; made by `Renderer.open`, safe to use from several threads."""

    def __init__(self, tokenizer: "Tokenizer", template_text: str, special_tokens: dict[str, str]) -> None:
        self.template_hash = sha256(template_text.encode()).hexdigest()
        self.context_length: int | None = None
        self.stop_token_ids: frozenset[int] = frozenset()
        self._tokenizer = tokenizer
        self._special_tokens = special_tokens
        self._template = _compile(template_text)
        self._control_words = _control_words(tokenizer)
        self._turn = self._find_turn()
        self.end_marker = self._turn.marker
        self.end_marker_id = self.encode(self.end_marker)[-1]

    @classmethod
    def open(cls, folder: Path) -> "Renderer":
        """Read a model folder. Raises ModelRefused for a broken tokenizer, TemplateNotUsable for the template."""
        text = tokenizer_files.chat_template(folder)
        if text is None:
            raise TemplateNotUsable(
                "The model has no chat template, so it cannot chat.",
                hint="Choose a model that was made for chats (its name often ends in Instruct or Chat).",
            )
        special_tokens = tokenizer_files.special_tokens(folder)
        tokenizer = _open_tokenizer(folder)
        for role, token in special_tokens.items():
            if tokenizer.token_to_id(token) is None:
                raise ModelRefused(f"tokenizer_config.json: {role} is {token!r}, which tokenizer.json does not know.")
        renderer = cls(tokenizer, text, special_tokens)
        renderer.context_length = tokenizer_files.context_length(folder)
        eos_id = tokenizer.token_to_id(special_tokens.get("eos_token", ""))
        renderer.stop_token_ids = tokenizer_files.stop_token_ids(folder) | ({eos_id} if eos_id is not None else set())
        return renderer

    @property
    def is_stopped_by_end_marker(self) -> bool:
        """Whether an engine stops at the end marker by itself; if not, answers would run on."""
        return self.end_marker_id in self.stop_token_ids

    def render_prompt(self, messages: Messages) -> RenderedPrompt:
        """The chat as an engine sees it, up to where the answer begins."""
        check_chat(messages)
        text = self._render(messages, is_prompt=True)
        return RenderedPrompt(text, self.encode(text))

    def render_example(self, messages: Messages) -> RenderedExample:
        """The chat as something to learn from: of several answers only the last one is learned."""
        check_chat(messages)
        if messages[-1]["role"] != "assistant":
            raise ChatNotUsable(f"The last message is the {messages[-1]['role']}'s, so there is no answer to learn.")
        if len(messages) == 1:
            raise ChatNotUsable("The chat is an answer alone, so there is nothing that it answers.")
        for number, message in enumerate(messages, start=1):
            self._refuse_control_words(number, message)
        prompt, answer = self._split(messages)
        learned = self._strip_turn(answer, messages[-1]["content"])
        prompt_ids, answer_ids = self.encode(prompt), self.encode(learned)
        self._check_exact(learned, answer_ids)
        labels = [NOT_LEARNED] * len(prompt_ids) + answer_ids
        return RenderedExample(prompt_ids + answer_ids, labels, prompt, learned)

    def cut(self, example: RenderedExample, max_tokens: int) -> CutResult:
        """What is lost when only the first `max_tokens` tokens are kept."""
        lost = example.labels[max_tokens:]
        num_learned_tokens_cut = sum(label != NOT_LEARNED for label in lost)
        return CutResult(
            num_tokens_cut=len(lost),
            num_learned_tokens_cut=num_learned_tokens_cut,
            num_learned_tokens_left=example.num_learned_tokens - num_learned_tokens_cut,
            is_end_marker_learned=not lost,
            text_cut=self.decode(example.token_ids[max_tokens:]),
        )

    def find_control_words(self, text: str) -> list[str]:
        """The words in a text that the model would read as control tokens, each once, in order of appearance."""
        if self._control_words is None:
            return []
        found = self._control_words.findall(text)
        normalizer = self._tokenizer.normalizer
        if normalizer is not None:
            found += self._control_words.findall(normalizer.normalize_str(text))
        return list(dict.fromkeys(found))

    def encode(self, text: str) -> list[int]:
        """The ids of a rendered text; nothing is added to it."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of ids, control tokens included."""
        return self._tokenizer.decode(list(token_ids), skip_special_tokens=False)

    def _render(self, messages: Messages, *, is_prompt: bool) -> str:
        chat = [dict(message) for message in messages]
        values = {"messages": chat, "tools": None, "documents": None, "add_generation_prompt": is_prompt}
        try:
            return render_within(self._template, {**self._special_tokens, **values})
        except RefusedByTemplate as error:
            raise ChatNotUsable(f"The model's chat template does not take this chat: {error}.") from None
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateNotUsable(f"The chat template failed: {error}.") from None
        except (RuntimeError, MemoryError) as error:
            raise TemplateNotUsable(f"The chat template failed: {type(error).__name__}.") from None

    def _split(self, messages: Messages) -> tuple[str, str]:
        """The text of the prompt, and what the template adds to it when the answer is there."""
        prompt = self._render(messages[:-1], is_prompt=True)
        whole = self._render(messages, is_prompt=False)
        if not whole.startswith(prompt):
            raise TemplateNotUsable(
                "With the answer added, the template writes the prompt otherwise than when it asks for the answer, "
                f"from {_first_difference(prompt, whole)}. What would be learned is not what will be asked."
            )
        return prompt, whole[len(prompt) :]

    def _find_turn(self) -> _Turn:
        messages = [{"role": "user", "content": PROBE_QUESTION}, {"role": "assistant", "content": PROBE_ANSWER}]
        _, answer = self._split(messages)
        before, found, rest = answer.partition(PROBE_ANSWER)
        if not found:
            raise TemplateNotUsable("The chat template leaves the assistant's answer out.")
        if before.strip():
            raise TemplateNotUsable(f"The chat template puts {before!r} before every answer, so it would be learned.")
        marker = self._control_words.search(rest) if self._control_words else None
        if marker is None:
            raise TemplateNotUsable(
                "The chat template puts no end marker after the last answer; nothing teaches to stop."
            )
        return _Turn(before, rest[: marker.end()], marker[0], rest[marker.end() :])

    def _strip_turn(self, answer: str, content: str) -> str:
        """The part of the template's text that is learned. The end marker is the turn's own, never one in the text."""
        turn = self._turn
        ending = turn.until_marker + turn.after
        written = answer[len(turn.before) : len(answer) - len(ending)]
        is_whole = answer == turn.before + written + ending
        if not is_whole or written not in {content, content.strip(), content.lstrip(), content.rstrip()}:
            raise TemplateNotUsable(
                f"The chat template changes the answer: it writes {_shorten(answer)} for {_shorten(content)}."
            )
        return turn.before + written + turn.until_marker

    def _check_exact(self, learned: str, answer_ids: list[int]) -> None:
        decoded = self.decode(answer_ids)
        normalizer = self._tokenizer.normalizer
        is_exact = decoded == learned or (normalizer is not None and decoded == normalizer.normalize_str(learned))
        if not is_exact or answer_ids[-1] != self.end_marker_id:
            raise TemplateNotUsable(
                f"The model's tokenizer cannot write this answer: {_shorten(learned)} becomes {_shorten(decoded)}.",
                hint="Leave the row out, or choose another base model.",
            )

    def _refuse_control_words(self, number: int, message: Message) -> None:
        found = self.find_control_words(message["content"])
        if found:
            where = f"message {number} ({message['role']})"
            raise ControlWordInText(
                f"The text of {where} contains {found[0]!r}, which this model reads as a control token.",
                token=found[0],
                where=where,
            )


def _open_tokenizer(folder: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelRefused("tokenizer.json is missing.", hint="Save the tokenizer in the fast format beside the model.")
    text = tokenizer_files.read_bounded(path, tokenizer_files.MAX_TOKENIZER_BYTES)
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # noqa: BLE001 - the library raises bare Exception for every fault of the file
        raise ModelRefused(f"tokenizer.json cannot be read: {error}.") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _compile(template_text: str) -> Template:
    try:
        return chat_template_environment(TEMPLATE_DATE).from_string(template_text)
    except TemplateError as error:
        raise TemplateNotUsable(f"The chat template is not valid: {error}.") from None
    except RecursionError:
        raise TemplateNotUsable("The chat template is nested too deeply.") from None


def _control_words(tokenizer: "Tokenizer") -> re.Pattern[str] | None:
    """All added tokens; those that are only white space are ordinary text to people, so they are left out."""
    words = {token.content for token in tokenizer.get_added_tokens_decoder().values() if token.content.strip()}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(re.escape(word) for word in longest_first)) if words else None


def _first_difference(prompt: str, whole: str) -> str:
    position = next((i for i, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), len(whole))
    return f"{_shorten(prompt[position:])} on"


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:40] + " … " + text[-15:])
