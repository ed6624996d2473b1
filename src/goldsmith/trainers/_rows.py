"""The rows of a training as every trainer program reads them, and the order in which they come.

Standard library and `goldsmith.wire` only. No row is left out, and none is cut: what cannot be learned as it is fails.
"""

import random
from collections.abc import Iterator
from math import ceil

from goldsmith.trainers._report import Failure, Job
from goldsmith.wire import rows
from goldsmith.wire.rows import Row

WINDOW_BATCHES = 8


def read_rows(job: Job, max_length: int | None = None) -> tuple[list[Row], list[Row]]:
    """Learn and exam rows, all of them, or a Failure."""
    try:
        learn = rows.read(job.folder, job.order.learn)
        exam = rows.read(job.folder, job.order.exam) if job.order.exam else []
    except (OSError, rows.BadRows) as error:
        hint = "Start the training anew, so that its folder is written again."
        raise Failure("bad_rows", f"The rows cannot be read: {error}", hint) from error
    num_empty = sum(row.num_learned == 0 for row in learn)
    if num_empty == len(learn):
        hint = "Check that the training set has answers and that no length limit cuts them off."
        raise Failure("nothing_to_learn", "No row has a token to learn.", hint)
    if num_empty:
        job.report.log(
            f"{num_empty} of {len(learn)} rows have no token to learn; they stay, and teach nothing.", "warning"
        )
    for row in learn + exam:
        if max_length is not None and len(row.input_ids) > max_length:
            said = f"Row {row.row_id} has {len(row.input_ids)} tokens; the limit is {max_length}."
            raise Failure("row_too_long", said, "Raise the limit or leave the row out.")
    return learn, [row for row in exam if row.num_learned]


class DataOrder:
    """Which rows come in which step: the trainer's sampler.

    Depends on the rows, the seed and the epoch alone, so a resumed training finds it again. Rows are shuffled; grouped
    by length, each window of eight batches is sorted by length and the batches are shuffled, so that less is padded. A
    batch that is not full stays last.
    """

    def __init__(self, learn: list[Row], *, batch_size: int, accumulation: int, num_epochs: int, seed: int) -> None:
        self._lengths = [row.num_tokens for row in learn]
        self._batch_size = batch_size
        self._rows_per_step = batch_size * accumulation
        self._seed = seed
        self._epoch = 0
        self.group_by_length = True
        self.steps_per_epoch = ceil(len(learn) / self._rows_per_step)
        self.total_steps = self.steps_per_epoch * num_epochs
        self.total_tokens = sum(self._lengths) * num_epochs

    def of_epoch(self, epoch: int) -> list[int]:
        """The places of all rows in the order of this epoch."""
        size = self._batch_size
        shuffler = random.Random(f"{self._seed} {epoch}")  # noqa: S311 - an order, not a secret
        places = list(range(len(self._lengths)))
        shuffler.shuffle(places)
        if not self.group_by_length:
            return places
        num_full = len(places) // size * size
        batches: list[list[int]] = []
        for start in range(0, num_full, size * WINDOW_BATCHES):
            window = sorted(places[start : start + size * WINDOW_BATCHES][: num_full - start], key=self._length)
            batches += [window[at : at + size] for at in range(0, len(window), size)]
        shuffler.shuffle(batches)
        return [place for batch in batches for place in batch] + places[num_full:]

    def tokens_of_steps(self) -> list[int]:
        """Tokens of each step of the whole training, padding not counted."""
        tokens: list[int] = []
        for epoch in range(self.total_steps // self.steps_per_epoch):
            lengths = [self._length(place) for place in self.of_epoch(epoch)]
            starts = range(0, len(lengths), self._rows_per_step)
            tokens += [sum(lengths[start : start + self._rows_per_step]) for start in starts]
        return tokens

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(self.of_epoch(self._epoch))

    def __len__(self) -> int:
        return len(self._lengths)

    def _length(self, place: int) -> int:
        return self._lengths[place]
