"""The stars in force as examples: what the run asked, and what the model should have said. Called by the export."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from goldsmith.data.readers.chat_log import REJECTED_COLUMN
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.errors import GoldsmithError
from goldsmith.run import queries as run_queries
from goldsmith.run.messages import CHAT_COLUMN, messages_for, question_of_chat
from goldsmith.run.tables import Answer, PromptVersion, Run
from goldsmith.stars import queries
from goldsmith.stars.normalise import row_key
from goldsmith.stars.pairs import is_worse
from goldsmith.stars.tables import Mark, TrainingSetRow
from goldsmith.stars.types import BAD, Example, Message


class Collection:
    """Examples, the newest star first, and how many stars were left out for which reason."""

    def __init__(self, session: Session) -> None:
        self.examples: list[Example] = []
        self.dropped: dict[str, int] = {}
        self._session = session
        self._wordings: dict[str, PromptVersion] = {}
        self._answer_columns: dict[str, str | None] = {}

    def collect(self, *, domain: str, run_ids: Sequence[str] = (), of_set: str | None = None) -> None:
        """Take every star in force of the organisation, or of some runs, or of a training set."""
        query = _marked(queries.is_starred(), domain, run_ids)
        if of_set is not None:
            query = query.where(Mark.answer_id.in_(_of_set(of_set, TrainingSetRow.side != BAD)))
        for mark, answer, row, version_id in self._session.execute(query.execution_options(yield_per=500)):
            example = self._example(mark, answer, row, version_id)
            if example is None:
                self.drop("nothing_asked")
            else:
                self.examples.append(example)

    def bad(self, *, domain: str, run_ids: Sequence[str] = (), of_set: str | None = None) -> list[Example]:
        """Every answer that is marked bad, as an example of what not to say, the newest mark first."""
        query = _marked(queries.is_bad(), domain, run_ids)
        if of_set is not None:
            query = query.where(Mark.answer_id.in_(_of_set(of_set, TrainingSetRow.side == BAD)))
        found = []
        for mark, answer, row, version_id in self._session.execute(query.execution_options(yield_per=500)):
            example = self._example(mark, answer, row, version_id)
            if example is not None and answer.text.strip():
                as_written = replace(example, expected=answer.text, is_corrected=False)
                found.append(replace(as_written, rejected=None, rejected_answer_id=None))
        return found

    def leave_out(self, answer_ids: Container[str], reason: str) -> None:
        """Leave out the stars on these answers, and count them."""
        kept = [example for example in self.examples if example.answer_id not in answer_ids]
        self.drop(reason, len(self.examples) - len(kept))
        self.examples = kept

    def drop(self, reason: str, number: int = 1) -> None:
        """Count stars that are left out."""
        if number:
            self.dropped[reason] = self.dropped.get(reason, 0) + number

    def _example(self, mark: Mark, answer: Answer, row: Row, prompt_version_id: str) -> Example | None:
        """None where the wording asks nothing with this row."""
        wording = self._wording(prompt_version_id)
        try:
            asked = messages_for(wording, row.content)
        except GoldsmithError:
            return None
        expected = mark.correction if mark.correction is not None else answer.text
        corrected = answer.text if mark.correction is not None else str(row.content.get(REJECTED_COLUMN, ""))
        is_pair = is_worse(corrected, expected)
        return Example(
            row_key=row_key(self._content_asked(row)),
            row_id=row.id,
            position=row.position,
            run_id=mark.run_id,
            answer_id=answer.id,
            mark_id=mark.id,
            starred_by=mark.created_by,
            is_corrected=mark.correction is not None,
            prompt_version_id=prompt_version_id,
            asked=tuple(Message(role=turn["role"], content=turn["content"]) for turn in asked),
            expected=expected,
            finish_reason=answer.finish_reason,
            answer_schema=wording.answer_schema,
            rejected=corrected if is_pair else None,
            rejected_answer_id=answer.id if is_pair and mark.correction is not None else None,
        )

    def _content_asked(self, row: Row) -> Mapping[str, str]:
        """The row without its good and its bad answer, so that equal questions are equal rows whatever was answered."""
        answer_column = self._answer_column(row.dataset_version_id)
        beside = (answer_column, REJECTED_COLUMN)
        content = {name: str(value) for name, value in row.content.items() if name not in beside}
        turns = question_of_chat(content.get(CHAT_COLUMN))
        if turns is not None:
            content[CHAT_COLUMN] = "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)
        return content

    def _wording(self, version_id: str) -> PromptVersion:
        if version_id not in self._wordings:
            self._wordings[version_id] = run_queries.prompt_version(self._session, version_id)
        return self._wordings[version_id]

    def _answer_column(self, dataset_version_id: str) -> str | None:
        if dataset_version_id not in self._answer_columns:
            version = self._session.get_one(DatasetVersion, dataset_version_id)
            self._answer_columns[dataset_version_id] = version.answer_column
        return self._answer_columns[dataset_version_id]


def _marked(how: ColumnElement[bool], domain: str, run_ids: Sequence[str]) -> Select[Mark, Answer, Row, str]:
    query = (
        select(Mark, Answer, Row, Run.prompt_version_id)
        .join(Answer, Answer.id == Mark.answer_id)
        .join(Row, Row.id == Answer.row_id)
        .join(Run, Run.id == Mark.run_id)
        .where(Mark.domain == domain, how)
        .order_by(Mark.id.desc())
    )
    return query.where(Mark.run_id.in_(run_ids)) if run_ids else query


def _of_set(set_id: str, which: ColumnElement[bool]) -> Select[str]:
    return select(TrainingSetRow.answer_id).where(TrainingSetRow.training_set_id == set_id, which)
