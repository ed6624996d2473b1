"""Files of OpenAI's as a plan: which belong together, what each becomes, what has no counterpart. Makes nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Any, Final

from goldsmith.connect.openai import evals, objects
from goldsmith.connect.openai.types import ID_END, FileKind, Part, PartKind, Plan, Seen
from goldsmith.data.types import Upload

PathOf = Callable[[Upload], Path]
NUM_LOOKED_AT: Final = 10_000
"""So many conversations of a training file are looked at for what has no counterpart."""
_EXAM_WORDS = ("valid", "val", "test", "eval", "holdout")
_LESSONS = (FileKind.CHATS, FileKind.PREFERENCES)


def plan(uploads: Sequence[Upload], path_of: PathOf) -> Plan:
    """What a move of these files would make."""
    return _Planning(uploads, path_of).plan()


class _Planning:
    """The files by kind, and the parts that they make."""

    def __init__(self, uploads: Sequence[Upload], path_of: PathOf) -> None:
        self._path_of = path_of
        self._kinds = {upload: objects.kind_of(path_of(upload)) for upload in dict.fromkeys(uploads)}
        self._used: dict[Upload, str] = {}

    def plan(self) -> Plan:
        parts = [*self._lessons(), *self._exams(), *self._batches(), *self._completions()]
        for part in parts:
            self._used.update(dict.fromkeys(_all(part.files.values()), part.name))
        notes = tuple(self._notes())
        files = tuple(Seen(upload, kind, self._used.get(upload, "")) for upload, kind in self._kinds.items())
        return Plan(tuple(parts), files, notes)

    def _of(self, *kinds: FileKind) -> tuple[Upload, ...]:
        return tuple(upload for upload, kind in self._kinds.items() if kind in kinds)

    def _objects(self, *kinds: FileKind) -> list[dict[str, Any]]:
        return [found for upload in self._of(*kinds) for found in objects.objects(self._path_of(upload))]

    def _lessons(self) -> Iterable[Part]:
        files = self._of(*_LESSONS)
        exam_of = self._exam_files(files)
        for learn in files:
            if learn in exam_of.values():
                continue
            exam = exam_of.get(learn)
            used = {"learn": (learn,), **({"exam": (exam,)} if exam else {})}
            held_back = f"; {exam.filename} is its exam" if exam else "; a fifth of it is held back as the exam"
            becomes = f"A dataset, your star on each of its answers, and a training set{held_back}."
            notes = [note for upload in _all(used.values()) for note in self._chat_notes(upload)]
            yield Part(PartKind.LESSON, _stem(learn), used, becomes, tuple(notes))

    def _exam_files(self, files: Sequence[Upload]) -> dict[Upload, Upload]:
        """The validation file of each training file: as a fine-tuning job says, else by what the files are called."""
        found: dict[Upload, Upload] = {}
        for job in self._objects(FileKind.JOBS):
            learn, exam = (_named(files, job.get(name)) for name in ("training_file", "validation_file"))
            if learn is not None and exam is not None and learn != exam:
                found.setdefault(learn, exam)
        exams = [upload for upload in files if _is_called_exam(upload) and upload not in found.values()]
        learns = [upload for upload in files if upload not in exams and upload not in found.values()]
        if len(exams) == len(learns) == 1 and learns[0] not in found:
            found[learns[0]] = exams[0]
        return found

    def _chat_notes(self, upload: Upload) -> Iterable[str]:
        counts = {"several": 0, "unweighted": 0, "tools": 0, "pictures": 0, "open": 0}
        first: dict[str, int] = {}
        for number, chat in enumerate(islice(objects.objects(self._path_of(upload)), NUM_LOOKED_AT), start=1):
            for trait in _traits_of(chat):
                counts[trait] += 1
                first.setdefault(trait, number)
        for trait, words in _CHAT_WORDS.items():
            if counts[trait]:
                yield f"{upload.filename}: {counts[trait]:,} conversations {words} (the first is {first[trait]:,})."

    def _exams(self) -> Iterable[Part]:
        runs = self._objects(FileKind.EVAL_RUN)
        rows = (*self._of(FileKind.EVAL_ROWS), *self._of(FileKind.EVAL_OUTPUT))
        files = {"runs": self._of(FileKind.EVAL_RUN), "rows": rows}
        for upload in self._of(FileKind.EVAL):
            for found in objects.objects(self._path_of(upload)):
                if objects.kind_of_object(found) is FileKind.EVAL:
                    yield self._exam(found, {"eval": (upload,), **files}, runs)

    def _exam(self, found: Mapping[str, Any], files: Mapping[str, tuple[Upload, ...]], runs: Sequence[Any]) -> Part:
        eval_id = str(found.get("id") or "")
        run: Mapping[str, Any] = next((run for run in runs if not eval_id or run.get("eval_id") == eval_id), {})
        question, grading = evals.question_of(run), evals.grading_of(found.get("testing_criteria") or [])
        notes = [*grading.notes, *evals.settings_notes(run)]
        column = evals.answer_column(grading)
        prompt = "its prompt, " if question is not None else ""
        exam = f"an exam with the right answers of “{column}”" if column and question else "no exam"
        if question is None:
            notes.append("None of its runs that are here asks a model, so there is no prompt. Bring its runs, too.")
        if column is None:
            notes.append("No grader says which answer is right, so its rows come without right answers.")
        becomes = f"A dataset of its rows, {prompt}and {exam}."
        name = str(found.get("name") or eval_id or "Eval")
        return Part(PartKind.EXAM, name, files, becomes, tuple(notes), eval_id=eval_id)

    def _batches(self) -> Iterable[Part]:
        asked, answered = self._of(FileKind.BATCH_INPUT), self._of(FileKind.BATCH_OUTPUT)
        if asked:
            becomes = "A dataset of its requests" + (", each with its answer." if answered else ".")
            notes = () if answered else ("The file with its answers is not here, so they are requests alone.",)
            files = {"asked": asked, "answered": answered}
            yield Part(PartKind.ANSWERS, f"Batch {_stem(asked[0])}", files, becomes, notes, is_starred=False)

    def _completions(self) -> Iterable[Part]:
        for upload in self._of(FileKind.COMPLETIONS):
            becomes = "A dataset of real requests with the answers that were given, to be read and starred."
            files = {"answered": (upload,)}
            yield Part(PartKind.ANSWERS, _stem(upload), files, becomes, is_starred=False)

    def _notes(self) -> Iterable[str]:
        for upload in self._of(FileKind.JOBS):
            self._used[upload] = "which files belong together"
        for job in self._objects(FileKind.JOBS):
            yield from _job_notes(job)
        if self._of(FileKind.BATCH_OUTPUT) and not self._of(FileKind.BATCH_INPUT):
            yield "A batch's answers do not say what was asked. Bring the file that was sent, too."
        if not self._of(FileKind.EVAL) and self._of(FileKind.EVAL_RUN, FileKind.EVAL_ROWS, FileKind.EVAL_OUTPUT):
            yield "Runs and rows of an eval are here, but not the eval itself. Bring it, too."
        for upload in self._of(FileKind.OTHER):
            yield f"{upload.filename} is none of the files that OpenAI gives; bring it in by itself, as a table."


def _job_notes(job: Mapping[str, Any]) -> Iterable[str]:
    name = str(job.get("fine_tuned_model") or job.get("id"))
    if job.get("fine_tuned_model"):
        yield f"{name} stays there: its weights cannot be had. Train again here, from its training set."
    method = job.get("method") if isinstance(job.get("method"), dict) else {}
    kind = str((method or {}).get("type", "supervised"))
    if kind == "reinforcement":
        yield f"{name} was trained by reinforcement; there is no counterpart. Its rows come, its grader does not."
    inner = (method or {}).get(kind)
    chosen = (inner.get("hyperparameters") if isinstance(inner, dict) else None) or job.get("hyperparameters")
    if isinstance(chosen, dict) and chosen:
        said = ", ".join(f"{key} {value}" for key, value in sorted(chosen.items()))
        yield f"{name} was trained with {said}. A multiplier of a learning rate says nothing about another model."


_CHAT_WORDS = {
    "several": "hold several answers; only the last one is learned here",
    "unweighted": "say weight 0 for their last answer; take its star away where it must not be learned",
    "tools": "offer or call tools; those are not learned, and such rows are listed as bad",
    "pictures": "hold something besides text; they are listed as bad",
    "open": "do not end with an answer, so nothing is learned from them",
}


def _traits_of(chat: Mapping[str, Any]) -> Iterable[str]:
    turns = [turn for turn in chat.get("messages") or [] if isinstance(turn, dict)]
    if not turns:
        return
    answers = [turn for turn in turns if turn.get("role") == "assistant"]
    if len(answers) > 1:
        yield "several"
    if answers and answers[-1].get("weight") == 0:
        yield "unweighted"
    if chat.get("tools") or any(turn.get("tool_calls") or turn.get("role") == "tool" for turn in turns):
        yield "tools"
    if any(part.get("type") != "text" for turn in turns for part in _parts(turn)):
        yield "pictures"
    if turns[-1].get("role") != "assistant":
        yield "open"


def _parts(turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = turn.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _all(uses: Iterable[tuple[Upload, ...]]) -> list[Upload]:
    return list(dict.fromkeys(upload for uploads in uses for upload in uploads))


def _stem(upload: Upload) -> str:
    """What the file is called, without the id that it may have been fetched under."""
    return PurePath(upload.filename).stem.rpartition(ID_END)[2]


def _named(files: Sequence[Upload], file_id: Any) -> Upload | None:
    """The file that was fetched under this id, or that is called like it."""
    return next((upload for upload in files if upload.filename.partition(ID_END)[0] == file_id), None)


def _is_called_exam(upload: Upload) -> bool:
    words = _stem(upload).lower().replace("-", "_").replace(" ", "_").replace(".", "_").split("_")
    return any(word.startswith("valid") or word in _EXAM_WORDS for word in words)
