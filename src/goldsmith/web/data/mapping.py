"""What a person chose on the preview of a file: how it is read, and what each column is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import Field

from goldsmith.data import service
from goldsmith.data.readers.types import Format, ReadOptions
from goldsmith.data.types import ImportRequest
from goldsmith.storage.files import Home
from goldsmith.web.errors import FormNotUsable
from goldsmith.web.forms import FormModel, fill

SHA256 = "^[0-9a-f]{64}$"


class Role(StrEnum):
    """What a column is for."""

    INPUT = "input"
    ANSWER = "answer"
    OUT = "out"


class ReadingForm(FormModel):
    """How a file is read; what is empty is found out."""

    filename: Annotated[str, Field(max_length=255)] = "file"
    name: Annotated[str, Field(max_length=255)] = ""
    dataset: str | None = None
    format: Format | None = None
    encoding: Annotated[str, Field(max_length=40)] | None = None
    delimiter: Annotated[str, Field(max_length=3)] | None = None
    sheet: Annotated[str, Field(max_length=255)] | None = None

    @property
    def options(self) -> ReadOptions:
        """As the readers take it."""
        sign = "\t" if self.delimiter == "tab" else self.delimiter
        return ReadOptions(format=self.format, encoding=self.encoding, delimiter=sign, sheet=self.sheet)


class ImportForm(ReadingForm):
    """The same, with the file and what becomes of its good answers."""

    upload: Annotated[str, Field(pattern=SHA256)]
    star_answers: bool = False


@dataclass(frozen=True)
class ColumnChoice:
    """An import as it was asked for."""

    form: ImportForm
    columns: tuple[str, ...]
    answer_column: str | None

    @property
    def stars_answers(self) -> bool:
        """Whether the good answers become gold stars at once."""
        return self.form.star_answers and self.answer_column is not None

    def request(self, home: Home) -> ImportRequest:
        """As the step takes it. Raises UploadNotFound."""
        form, options = self.form, self.form.options
        return ImportRequest(
            upload=service.kept_upload(home, form.upload, form.filename),
            name=form.name,
            dataset_id=form.dataset,
            answer_column=self.answer_column,
            columns=self.columns,
            format=form.format.value if form.format else None,
            encoding=options.encoding,
            delimiter=options.delimiter,
            sheet=options.sheet,
        )


def column_choice(posted: Mapping[str, str]) -> ColumnChoice:
    """What was posted. Raises FormNotUsable."""
    of_columns = ("role-", "column-")
    form = fill(ImportForm, {name: text for name, text in posted.items() if not name.startswith(of_columns)}).usable
    roles = {text: posted.get(f"role-{name[7:]}", "") for name, text in posted.items() if name.startswith("column-")}
    answers = [column for column, role in roles.items() if role == Role.ANSWER]
    inputs = [column for column, role in roles.items() if role == Role.INPUT]
    if not inputs:
        raise FormNotUsable("No column is kept as input.", hint="Choose “input” for the column that asks.")
    if len(answers) > 1:
        raise FormNotUsable(
            f"More than one column is called the good answer: {', '.join(answers)}.", hint="Go back and choose one."
        )
    return ColumnChoice(
        form, tuple(column for column in roles if column in (*inputs, *answers)), next(iter(answers), None)
    )


async def _read(request: Request) -> ColumnChoice:
    async with request.form(max_fields=5000) as form:
        return column_choice({name: value for name, value in form.items() if isinstance(value, str)})


def _reading(request: Request) -> ReadingForm:
    known: dict[str, Any] = {key: text for key, text in request.query_params.items() if key in ReadingForm.model_fields}
    return fill(ReadingForm, known).usable


TheColumnChoice = Annotated[ColumnChoice, Depends(_read)]
TheReading = Annotated[ReadingForm, Depends(_reading)]
"""How the address says that the file is to be read."""
