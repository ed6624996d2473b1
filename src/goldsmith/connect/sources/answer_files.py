"""A run's answers as one JSONL file of their own, beside the files that the rows came from: folders and buckets.

They lie in a folder of that name, and whatever lies in a folder of that name is never read as rows, so what a model
wrote does not come back as something that people wrote.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, ClassVar, Final

from goldsmith.connect.sources.types import AnswersOptions, Offered, RowAnswer

FOLDER: Final = "goldsmith-answers"


class AnswerFilesOptions(AnswersOptions):
    """Of a kind that keeps answers as files."""

    answers_title: ClassVar[str] = "Answers that are written there"
    answers_about: ClassVar[str] = (
        f"The answers of a run become one file there, {FOLDER}/RUN.jsonl: a line for each row with its id and its "
        "answer, as it was corrected here. A bad answer is left out. These files are never read as rows."
    )


@dataclass(frozen=True)
class Written:
    """What stands in a file now."""

    num: int
    sha256: str

    def beside(self, before: str | None) -> Offered:
        """What is new, where a file with that hash stood there before."""
        return Offered(num_same=self.num) if self.sha256 == before else Offered(num_new=self.num)


def is_ours(path: PurePath) -> bool:
    """Whether a file holds answers that went there."""
    return FOLDER in path.parts


def write(file: BinaryIO, answers: Iterable[RowAnswer]) -> Written:
    """A line for each answer that shall stand there, in their order; the same bytes for the same answers."""
    digest, num = hashlib.sha256(), 0
    for answer in answers:
        if answer.text is None:
            continue
        said = {"id": answer.source_id, "place": answer.place, "answer": answer.text, "gold_star": answer.is_star}
        line = json.dumps(said, ensure_ascii=False).encode() + b"\n"
        file.write(line)
        digest.update(line)
        num += 1
    return Written(num, digest.hexdigest())
