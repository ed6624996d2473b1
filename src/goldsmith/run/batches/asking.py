"""The work of a batch: ask what has no end yet, one model after the other, and keep every answer as it comes.

Started again after any death it asks only what is still open. Models stand in an order in which engines change as
rarely as possible; those that are live now come first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import bindparam, update

from goldsmith.errors import GoldsmithError
from goldsmith.jobs.kinds import WorkContext
from goldsmith.run.batches import queries
from goldsmith.run.batches.input_file import read_body
from goldsmith.run.batches.letters import BatchLetters
from goldsmith.run.batches.tables import Batch, BatchedRequest
from goldsmith.run.batches.types import BatchReply, BatchRequest, RequestState, Rules
from goldsmith.run.types import SendLimits
from goldsmith.run.waiting import ask_through_losses
from goldsmith.serve import queries as serve
from goldsmith.serve.errors import NoEngineForModel
from goldsmith.serve.types import Target
from goldsmith.storage import clock
from goldsmith.storage.patience import until_it_answers


@dataclass
class Asking:
    """A batch while its worker is at it."""

    context: WorkContext
    batch: Batch
    rules: Rules
    limits: SendLimits
    engine_start_s: float
    num_done: int = 0
    problems: list[GoldsmithError] = field(default_factory=list)

    def should_stop(self) -> bool:
        """Somebody asked, or its time is over."""
        return self.context.should_stop() or clock.now() >= self.batch.expires_at

    def ask_all(self) -> None:
        """Ask every model. Raises JobFailed, when all that could be asked has been."""
        for model_id in self._order():
            if self.should_stop():
                return
            with self.context.database.reading() as session:
                has_open = queries.has_open(session, self.batch.id, model_id)
            if has_open:
                self._ask_or_note(model_id)
        if self.problems:
            raise self.problems[0]

    def _order(self) -> list[str]:
        """What is live now first, so that its engine is not stopped and started again for it."""
        ready = []
        with self.context.database.reading() as session:
            for model_id in self.batch.models:
                try:
                    target = serve.target_for(session, model_id)
                except NoEngineForModel:
                    continue
                ready += [model_id] if target.is_ready else []
        return [*ready, *(model_id for model_id in self.batch.models if model_id not in ready)]

    def _ask_or_note(self, model_id: str) -> None:
        """A model that cannot be asked does not keep the others from being asked."""
        try:
            ask_through_losses(
                self.context,
                model_id,
                lambda targets: self._ask(model_id, targets),
                num_done=lambda: self.num_done,
                timeout_s=self.engine_start_s,
            )
        except GoldsmithError as error:
            self.problems.append(error)

    def _ask(self, model_id: str, targets: Sequence[Target]) -> None:
        from goldsmith.run import lanes  # it loads aiohttp, which only the worker needs

        with (self.context.home.uploads / Path(self.batch.input_sha256)).open("rb") as file:
            source = lanes.Source(
                self._open(model_id),
                write=lambda request, target: self._request(request, target, file),
                letters=lambda endpoint: BatchLetters(endpoint, self.batch.endpoint),
            )
            lanes.ask(
                targets,
                source,
                home=self.context.home,
                limits=self.limits,
                on_answers=self._keep,
                should_stop=self.should_stop,
            )

    def _keep(self, replies: list[BatchReply]) -> None:
        until_it_answers(lambda: self._write(replies))  # what has its end is not touched
        self.num_done += len(replies)
        share = min(self.num_done / max(1, self.batch.num_requests), 1.0)
        words = f"{self.num_done:,} of {self.batch.num_requests:,} requests done"
        until_it_answers(lambda: self.context.report(share, words))

    def _write(self, replies: Sequence[BatchReply]) -> None:
        is_open = (BatchedRequest.id == bindparam("which"), BatchedRequest.state == RequestState.WAITING.value)
        values = [{**asdict(reply), "state": reply.state.value, "which": reply.id} for reply in replies]
        names = [name for name in values[0] if name not in ("which", "id")]
        statement = update(BatchedRequest.__table__).where(*is_open)  # type: ignore[arg-type]
        with self.context.transaction() as session:
            session.connection().execute(
                statement.values({name: bindparam(f"new_{name}") for name in names}),
                [{"which": each["which"], **{f"new_{name}": each[name] for name in names}} for each in values],
            )

    def _open(self, model_id: str) -> Iterator[BatchedRequest]:
        after = 0
        while True:
            found = until_it_answers(self._read_of(model_id, after))
            if not found:
                return
            yield from found
            after = found[-1].line

    def _read_of(self, model_id: str, after: int) -> Callable[[], list[BatchedRequest]]:
        def read() -> list[BatchedRequest]:
            with self.context.database.reading() as session:
                return queries.requests_to_ask(session, self.batch.id, model_id, after=after)

        return read

    def _request(self, request: BatchedRequest, target: Target, file: BinaryIO) -> BatchRequest:
        body = read_body(file, request.start_byte, request.num_bytes)
        try:
            checked = self.rules.check(self.batch.endpoint, body)
            return BatchRequest(request.id, self.rules.for_target(self.batch.endpoint, checked, target))
        except GoldsmithError as error:
            return BatchRequest(request.id, refusal=self.rules.refusal(error))
