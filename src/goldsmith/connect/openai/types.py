"""Values of a move: what each file is, what becomes of it, and what has no counterpart here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from goldsmith.data.types import Upload
from goldsmith.run.types import PromptDraft

ID_END: Final = "__"
"""Stands between a file's id and its name in the name under which it was fetched."""


class FileKind(StrEnum):
    """What a file of OpenAI's holds, told by its first object."""

    CHATS = "chats"
    """Conversations to learn from (`messages`)."""
    PREFERENCES = "preferences"
    """Conversations with a better and a worse answer (`preferred_output`)."""
    EVAL = "eval"
    EVAL_RUN = "eval.run"
    EVAL_ROWS = "eval rows"
    """The rows of an eval (`{"item": {…}}`)."""
    EVAL_OUTPUT = "eval.run.output_item"
    BATCH_INPUT = "batch input"
    BATCH_OUTPUT = "batch output"
    COMPLETIONS = "chat.completion"
    """Stored completions."""
    JOBS = "fine_tuning.job"
    OTHER = "something else"

    @property
    def words(self) -> str:
        """What people call it."""
        return _WORDS[self]


_WORDS = {
    FileKind.CHATS: "a training file",
    FileKind.PREFERENCES: "a training file of preferences",
    FileKind.EVAL: "an eval",
    FileKind.EVAL_RUN: "runs of an eval",
    FileKind.EVAL_ROWS: "rows of an eval",
    FileKind.EVAL_OUTPUT: "what an eval's run put out",
    FileKind.BATCH_INPUT: "a batch's requests",
    FileKind.BATCH_OUTPUT: "a batch's answers",
    FileKind.COMPLETIONS: "stored completions",
    FileKind.JOBS: "fine-tuning jobs",
    FileKind.OTHER: "nothing that OpenAI gives",
}


class PartKind(StrEnum):
    """What a part of a move makes."""

    LESSON = "lesson"
    """A training set: from a training file, with its validation file as the exam."""
    EXAM = "exam"
    """An exam: from an eval, its runs and its rows."""
    ANSWERS = "answers"
    """A dataset of requests and what was answered: from a batch, or from stored completions."""


@dataclass(frozen=True)
class Part:
    """One thing that a move makes, out of one or more files."""

    kind: PartKind
    name: str
    files: Mapping[str, tuple[Upload, ...]]
    """By what they are for: `learn` and `exam`; `eval`, `runs` and `rows`; `asked` and `answered`."""
    becomes: str
    """What is made, in one sentence."""
    notes: tuple[str, ...] = ()
    """What has no counterpart here, or should be known."""
    eval_id: str | None = None
    """Which eval of the file it is."""
    is_starred: bool = True
    """Whether the answers get the person's star: they were written down as the right ones."""

    def to_dict(self) -> dict[str, Any]:
        """As it is kept with the job."""
        files = {use: [vars(upload) for upload in uploads] for use, uploads in self.files.items()}
        return {**vars(self), "kind": self.kind.value, "files": files, "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Part":
        """As it was kept with the job."""
        files = {use: tuple(Upload(**upload) for upload in uploads) for use, uploads in kept["files"].items()}
        return cls(**{**kept, "kind": PartKind(kept["kind"]), "files": files, "notes": tuple(kept["notes"])})


@dataclass(frozen=True)
class Seen:
    """One file of a move, as it was recognised."""

    upload: Upload
    kind: FileKind
    used_for: str = ""
    """The name of the part that uses it; empty: none does."""


@dataclass(frozen=True)
class Plan:
    """What a move would make; nothing is made by looking."""

    parts: tuple[Part, ...]
    files: tuple[Seen, ...]
    notes: tuple[str, ...] = ()

    def starring_all(self) -> "Plan":
        """The plan with stars on the answers of batches and stored completions, too."""
        return replace(self, parts=tuple(replace(part, is_starred=True) for part in self.parts))

    @property
    def unused(self) -> tuple[Seen, ...]:
        """Files that nothing is made of."""
        return tuple(seen for seen in self.files if not seen.used_for)


@dataclass(frozen=True)
class Question:
    """How an eval asks its rows: a prompt, and where it is a conversation of several turns, each row's own one."""

    draft: PromptDraft
    turns: tuple[Mapping[str, str], ...] | None = None
    """Templates of the turns, where the prompt is `{{messages}}`."""
    reference: str | None = None
    """The column that holds the conversation, where the eval refers to one."""


@dataclass(frozen=True)
class Grading:
    """What an eval expects: the answer's text as a template over its rows, prompts that judge, and what is left out."""

    expected: str | None = None
    judges: Mapping[str, PromptDraft] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
