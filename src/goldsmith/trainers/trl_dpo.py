"""Learning from pairs with TRL and PEFT: `python -m goldsmith.trainers.trl_dpo --order ../job.json --attempt 1`.

Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290): the adapter learns to find the good answer of
each row likelier than the bad one, measured from where the base model stands; the base model is the one being trained
with its adapter switched off. Beside it stands the usual loss on the good answer (Pang et al. 2024, arXiv 2404.19733),
because that of pairs alone is content when both answers grow unlikelier, the bad one faster.

What else a training is, is that of `trl_sft`.
"""

import os
import sys
from typing import Any

from goldsmith.trainers import trl_sft
from goldsmith.trainers._report import Failure, Job, run
from goldsmith.trainers._rows import DataOrder
from goldsmith.wire.rows import Row


def work(job: Job) -> dict[str, Any]:
    """Train what is left to train and write the result; returns its figures."""
    return trl_sft.train_once(job, trl_sft.Settings, make_trainer)


def make_trainer(job: Job, settings: trl_sft.Settings, learn: list[Row], order: DataOrder) -> Any:
    """TRL's trainer of pairs around the base model, with our rows, our order and a fresh adapter."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    class Trainer(trl_sft.in_our_order(DPOTrainer, order)):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    rows = Dataset.from_list([as_pair(row) for row in learn])
    own = {"beta": settings.beta, "loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, settings.good_answer_weight]}
    trainer = Trainer(**trl_sft.parts(job, settings, DPOConfig, own), train_dataset=rows)
    trainer.score_collator = DataCollatorForLanguageModeling(trainer.processing_class.pad_token_id)
    return trl_sft.with_all_rows(trainer, learn)


def as_pair(row: Row) -> dict[str, list[int]]:
    """The row under the names of TRL. One without a bad answer is a Failure."""
    if not row.rejected_ids:
        said = f"Row {row.row_id} has no bad answer."
        raise Failure("not_a_pair", said, "Start the training anew, so that its folder is written again.")
    num_prompt = len(row.prompt_ids)
    return {"prompt_ids": row.prompt_ids, "chosen_ids": row.input_ids[num_prompt:], "rejected_ids": row.rejected_ids}


if __name__ == "__main__":
    os.environ.update(trl_sft.OFFLINE)
    sys.exit(run(work, packages=trl_sft.PACKAGES))
