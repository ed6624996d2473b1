"""Our batches in OpenAI's shapes, and what a caller may ask of one. Pure."""

from typing import Annotated, Any, Literal

from pydantic import Field

from goldsmith.data.tables import StoredFile
from goldsmith.run.batches.errors import BatchNotUsable
from goldsmith.run.batches.previewing import BatchLook
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import Counts, NewBatch
from goldsmith.web.openai.bodies import Body, MetadataName, MetadataValue
from goldsmith.web.openai.shapes import seconds

FOR_BATCHES = "batch"


class ExpiresAfter(Body):
    """How long files of a batch are kept."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3600, le=2_592_000)]


class NewBatchBody(Body):
    """A batch that is asked for."""

    input_file_id: Annotated[str, Field(min_length=1, max_length=255)]
    """An uploaded file with the purpose `batch`: one request a line."""
    endpoint: Annotated[str, Field(max_length=64)]
    """What every request asks for: `/v1/chat/completions`, `/v1/completions` or `/v1/embeddings`."""
    completion_window: Annotated[str, Field(max_length=16)]
    """How long the batch may take: `24h`. Here also others, from minutes (`90m`) to days (`7d`)."""
    metadata: Annotated[dict[MetadataName, MetadataValue], Field(max_length=16)] | None = None
    """Given back as it is."""
    output_expires_after: ExpiresAfter | None = None
    """When output and error file are forgotten; else never."""

    def to_new(self, file: StoredFile) -> NewBatch:
        """The batch that is meant. Raises BatchNotUsable."""
        if file.purpose != FOR_BATCHES:
            raise BatchNotUsable(f"{file.filename} was uploaded with the purpose {file.purpose}, not {FOR_BATCHES}.")
        return NewBatch(
            file_id=file.id,
            file_name=file.filename,
            sha256=file.sha256,
            endpoint=self.endpoint,
            window=self.completion_window,
            labels=self.metadata or {},
            output_expires_after_s=self.output_expires_after.seconds if self.output_expires_after else None,
        )


class PreviewBody(Body):
    """A file that is to be looked at before it is sent."""

    input_file_id: Annotated[str, Field(min_length=1, max_length=255)]
    """An uploaded file: one request a line."""
    endpoint: Annotated[str, Field(max_length=64)] | None = None
    """What every request asks for; without it that of the first request."""


def look(found: BatchLook) -> dict[str, Any]:
    """What a look at a file has found; OpenAI's API has no such object."""
    return {
        "object": "batch.preview",
        "endpoint": found.endpoint,
        "request_counts": {"total": found.num_requests},
        "is_whole_file": found.is_whole,
        "models": [
            {"model": each.name or None, "requests": each.num_requests, "means": list(each.model_ids)}
            for each in found.models
        ],
        "errors": {"object": "list", "data": [each.to_dict() for each in found.faults]} if found.faults else None,
    }


def batch(found: Batch, counts: Counts) -> dict[str, Any]:
    """As OpenAI's object; what is not so far is null."""
    faults = {"object": "list", "data": found.faults} if found.faults else None
    moments = ("in_progress", "expires", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
    return {
        "id": found.id,
        "object": "batch",
        "endpoint": found.endpoint,
        "model": found.models[0] if len(found.models) == 1 else None,
        "errors": faults,
        "input_file_id": found.input_file_id,
        "completion_window": found.completion_window,
        "status": found.status.value,
        "output_file_id": found.output_file_id,
        "error_file_id": found.error_file_id,
        "created_at": seconds(found.created_at),
        **{f"{name}_at": seconds(getattr(found, f"{name}_at")) for name in moments},
        "request_counts": {
            "total": counts.num_requests,
            "completed": counts.num_answered,
            "failed": counts.num_failed,
        },
        "usage": _usage(found),
        "metadata": found.labels or None,
    }


def _usage(found: Batch) -> dict[str, Any] | None:
    if found.prompt_tokens is None or found.answer_tokens is None:
        return None
    return {
        "input_tokens": found.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": found.answer_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": found.prompt_tokens + found.answer_tokens,
    }
