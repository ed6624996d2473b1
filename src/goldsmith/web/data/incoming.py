"""Rows as they are sent to the API: a file with its fields, or JSON with rows, with pasted text, or with an upload.

`TheIncoming` is what handlers ask for. The body is read in the event loop, and understood in a thread.
"""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError, model_validator
from starlette.datastructures import FormData, UploadFile

from goldsmith.data import service
from goldsmith.data.errors import UploadNotFound
from goldsmith.data.readers.types import Format, ReadOptions
from goldsmith.data.types import ImportRequest, Upload
from goldsmith.storage.files import Home
from goldsmith.web.answers import ApiBody, Name, Text

MAX_FIELDS = 1100
_BODY_KINDS = ("application/json", "multipart/form-data")


class IncomingBody(ApiBody):
    """Rows for a dataset, and how they are to be read. Exactly one of a file, `rows`, `text` and `upload`."""

    name: Text = ""
    """What the dataset is called; default: the file's name."""
    rows: list[dict[str, Any]] | None = None
    """The rows themselves: one object each, column → value."""
    text: str | None = None
    """Pasted text: CSV, TSV, JSON or JSONL."""
    upload: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The SHA-256 of a file that a preview has kept; then `filename` is its name."""
    filename: Name | None = None
    """The name that the person knows; its ending helps to recognise the format."""
    dataset: Name | None = None
    """Make the next version of this dataset instead of a new one."""
    answer_column: Text | None = None
    """The column that holds good answers. They become gold stars at once."""
    star_answers: bool = True
    """False: the column with good answers is only noted."""
    prompt_version: Name | None = None
    """The prompt that the good answers are answers to; default: the column that asks."""
    columns: list[Text] | None = None
    """The columns to keep; default: all."""
    format: Format | None = None
    encoding: Text | None = None
    delimiter: Text | None = None
    sheet: Text | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> "IncomingBody":
        if sum(part is not None for part in (self.rows, self.text, self.upload)) > 1:
            raise ValueError("give only one of a file, rows, text and upload")
        return self


@dataclass(frozen=True)
class Incoming:
    """A file and what is to become of it. `stream` is None when an earlier upload is meant."""

    body: IncomingBody
    stream: BinaryIO | None
    filename: str

    @property
    def options(self) -> ReadOptions:
        """How to read the file."""
        body = self.body
        return ReadOptions(format=body.format, encoding=body.encoding, delimiter=body.delimiter, sheet=body.sheet)

    def keep(self, home: Home) -> Upload:
        """Keep the file under its hash. Raises UploadTooLarge, UploadNotFound."""
        if self.stream is not None:
            return service.save_upload(home, self.stream, self.filename)
        sha256 = self.body.upload or ""
        path = home.uploads / sha256
        if not sha256 or not path.is_file():
            raise UploadNotFound(f"No file with the SHA-256 {sha256} was uploaded.")
        return Upload(sha256, self.filename, path.stat().st_size)

    def request(self, upload: Upload) -> ImportRequest:
        """What the import is asked to do."""
        body = self.body
        return ImportRequest(
            upload=upload,
            name=body.name,
            dataset_id=body.dataset,
            answer_column=body.answer_column,
            columns=tuple(body.columns) if body.columns else None,
            format=body.format.value if body.format else None,
            encoding=body.encoding,
            delimiter=body.delimiter,
            sheet=body.sheet,
        )


def _schema() -> dict[str, Any]:
    """Both ways of sending rows, for the API's description."""
    of_json = IncomingBody.model_json_schema(ref_template="#/components/schemas/{model}")
    formats = of_json.pop("$defs")["Format"]
    properties = {**of_json["properties"], "format": {"anyOf": [formats, {"type": "null"}]}}
    file = {"type": "string", "format": "binary"}
    of_form = {name: field for name, field in properties.items() if name != "rows"}
    form = {"type": "object", "properties": {"file": file, **of_form}, "additionalProperties": False}
    schemas = ({**of_json, "properties": properties}, form)
    content = {kind: {"schema": schema} for kind, schema in zip(_BODY_KINDS, schemas, strict=True)}
    return {"requestBody": {"required": True, "content": content}}


BODY_SCHEMA = _schema()
"""For the routes that take rows: `openapi_extra=BODY_SCHEMA`."""


async def _raw(request: Request) -> AsyncIterator[FormData | bytes]:
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
            yield form
    else:
        yield await request.body()


def _incoming(raw: Annotated[FormData | bytes, Depends(_raw)]) -> Incoming:
    if isinstance(raw, FormData):
        return _from_form(raw)
    try:
        body = IncomingBody.model_validate_json(raw)
    except ValidationError as error:
        raise _unusable(error) from None
    return _from_body(body)


def _from_form(form: FormData) -> Incoming:
    file = form.get("file")
    fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    if "columns" in fields:
        fields["columns"] = form.getlist("columns")
    fields.pop("rows", None)
    try:
        body = IncomingBody.model_validate(fields)
    except ValidationError as error:
        raise _unusable(error) from None
    if not isinstance(file, UploadFile):
        return _from_body(body)
    if body.text is not None or body.upload is not None:
        raise RequestValidationError([{"loc": ("body", "file"), "msg": "give only one of a file, text and upload"}])
    return Incoming(body, file.file, body.filename or file.filename or "file")


def _from_body(body: IncomingBody) -> Incoming:
    name = body.name or "pasted"
    if body.rows is not None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in body.rows)
        return Incoming(body, io.BytesIO(lines.encode("utf-8", "replace")), body.filename or f"{name}.jsonl")
    if body.text is not None:
        return Incoming(body, io.BytesIO(body.text.encode("utf-8", "replace")), body.filename or f"{name}.txt")
    if body.upload is None:
        raise RequestValidationError([{"loc": ("body",), "msg": "a file, rows, text or upload is missing"}])
    return Incoming(body, None, body.filename or name)


def _unusable(error: ValidationError) -> RequestValidationError:
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()])


TheIncoming = Annotated[Incoming, Depends(_incoming)]
"""The rows that came with the request."""
