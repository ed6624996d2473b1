"""Learning from single marks with TRL and PEFT: `python -m goldsmith.trainers.trl_kto --order ../job.json --attempt 1`.

Kahneman-Tversky optimisation (Ethayarajh et al. 2024, arXiv 2402.01306): the adapter learns to find good answers
likelier and bad ones unlikelier than the base model does, each by itself; a row need not have both. How far the model
has moved as a whole is estimated in each batch from its answers under each other's prompts. All bad answers together
count as much as all good ones, however many there are of each, unless the settings say otherwise.

What else a training is, is that of `trl_sft`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from goldsmith.trainers import trl_sft
from goldsmith.trainers._report import Failure, Job, run
from goldsmith.trainers._rows import DataOrder
from goldsmith.wire.rows import Row


def work(job: Job) -> dict[str, Any]:
    """Train what is left to train and write the result; returns its figures."""
    return trl_sft.train_once(job, trl_sft.Settings, make_trainer)


def make_trainer(job: Job, settings: trl_sft.Settings, learn: list[Row], order: DataOrder) -> Any:
    """TRL's trainer of single marks around the base model, with our rows, our order and a fresh adapter."""
    from datasets import Dataset
    from trl import KTOConfig, KTOTrainer
    from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    class Trainer(trl_sft.in_our_order(KTOTrainer, order)):  # type: ignore[misc]
        loss_may_be_zero = True  # that of an answer which the model is sure of rounds to 0

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    good, bad = weights([row.is_bad for row in learn], settings.bad_answers_weight)
    own = {"beta": settings.beta, "desirable_weight": good, "undesirable_weight": bad}
    rows = Dataset.from_list([as_mark(row) for row in learn])
    trainer = Trainer(**trl_sft.parts(job, settings, KTOConfig, own), train_dataset=rows)
    pad = trainer.processing_class.pad_token_id
    collate = DataCollatorForUnpairedPreference(pad)
    trainer.data_collator = lambda batch: collate(with_others_answers(batch))
    trainer.score_collator = DataCollatorForLanguageModeling(pad)
    return trl_sft.with_all_rows(trainer, learn)


def as_mark(row: Row) -> dict[str, Any]:
    """The row under the names of TRL."""
    prompt = row.prompt_ids
    return {"prompt_ids": prompt, "completion_ids": row.input_ids[len(prompt) :], "label": not row.is_bad}


def with_others_answers(batch: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Beside each answer another one of the batch: under this prompt it says how far the model has moved as a whole."""
    others = [batch[-1], *batch[:-1]]
    return [{**row, "KL_completion_ids": other["completion_ids"]} for row, other in zip(batch, others, strict=True)]


def weights(are_bad: Sequence[bool], bad_answers_weight: float) -> tuple[float, float]:
    """How much one good and one bad answer count, so that all of a kind count together what they should.

    Only good or only bad ones are a Failure.
    """
    num_bad = sum(are_bad)
    num_good = len(are_bad) - num_bad
    if not num_good or not num_bad:
        said = f"There are {num_good} good and {num_bad} bad answers; it takes some of each."
        raise Failure("only_one_kind", said, "Use the method sft, or mark answers of the other kind.")
    return len(are_bad) / (2 * num_good), bad_answers_weight * len(are_bad) / (2 * num_bad)


if __name__ == "__main__":
    os.environ.update(trl_sft.OFFLINE)
    sys.exit(run(work, packages=trl_sft.PACKAGES))
