"""What happens around each step of a `transformers` trainer: events, checkpoints, exam scores, answers, stopping.

For programs whose trainer is one of `transformers` or built on it (TRL). Imports nothing heavy itself: the program
hands its trainer in, and scores rows through the trainer's own model. A program asks it when the training is over what
is to be kept (`end`): what the last step left, or the best checkpoint when it ended early.
"""

import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from goldsmith.trainers._logprobs import learned_logprobs
from goldsmith.trainers._report import Failure, Job, Stopped
from goldsmith.trainers._rows import DataOrder
from goldsmith.trainers._samples import Sampler
from goldsmith.wire.events import EventKind
from goldsmith.wire.rows import Row

EXAM_IS_CHEAP_SHARE = 0.2
"""The exam is scored before the first step if it has at most this share of the tokens that will be trained."""

BACKWARD_SHARE = 3
"""A trained token costs about three times a scored one; used only until a scoring was measured."""

PREFERENCES = {"preference_accuracy": "rewards/accuracies", "preference_margin": "rewards/margins"}  # as TRL logs them

LEAST_LAST_S = 0.5
"""The last answers have so long even where the earlier ones took all the time that there was."""


@dataclass
class Totals:
    """What adds up over the attempts of a job; kept in each checkpoint."""

    train_s: float = 0.0
    duration_s: float = 0.0
    peak_memory_mb: float = 0.0
    exam_loss: float | None = None
    exam_loss_at_step: int = -1


@dataclass(frozen=True)
class Pace:
    """When to save and when to score the exam, besides the ends of epochs; 0 is never.

    `patience` scores in a row that are no better than the best end the training.
    """

    save_every_steps: int
    evaluate_every_steps: int
    batch_size: int
    patience: int = 0


class Watcher:
    """Listens to the trainer. Its methods carry the names that `transformers` gives to callbacks."""

    def __init__(self, job: Job, trainer: Any, order: DataOrder, exam: list[Row], pace: Pace) -> None:
        self.totals = Totals()
        self.has_stopped = False
        self.ends_early = job.report.keep_asked
        """Whether the training ends before its last step, and the best checkpoint is kept."""
        self.kept_step = order.total_steps
        self._sampler = Sampler(trainer.model, trainer.processing_class, exam)
        self._collate = getattr(trainer, "score_collator", trainer.data_collator)
        self._logprobs = getattr(trainer, "learned_logprobs", learned_logprobs)
        self._scored_instead: Any = None
        self._job, self._trainer, self._order, self._exam, self._pace = job, trainer, order, exam, pace
        self._tokens = order.tokens_of_steps()
        self._began_at = self._step_began_at = time.monotonic()
        self._step_s = 0.0
        self._steps_done = 0
        self._seconds_per_token = 0.0
        self._exam_s: float | None = None
        self._duration_before_s = 0.0
        self._memory_before_mb = 0.0

    def go_on_from(self, checkpoint: Path) -> None:
        """Take over what earlier attempts added up."""
        self.totals = Totals(**json.loads((checkpoint / "totals.json").read_text()))
        self._steps_done = int(checkpoint.name[5:])
        self._duration_before_s = self.totals.duration_s
        self._memory_before_mb = self.totals.peak_memory_mb

    @property
    def is_exam_cheap(self) -> bool:
        """Whether scoring the exam once more costs little beside the training."""
        return 0 < self._exam_tokens <= EXAM_IS_CHEAP_SHARE * self._order.total_tokens

    @property
    def duration_s(self) -> float:
        """How long all attempts took, up to now; of earlier ones, what their last checkpoint knew."""
        return self._duration_before_s + time.monotonic() - self._began_at

    @property
    def tokens_per_s(self) -> float:
        """Over all steps that were done, by all attempts."""
        return sum(self._tokens[: self._steps_done]) / self.totals.train_s

    def end(self) -> list[float]:
        """Have in the model what is kept, its exam scored; returns the losses up to there. Raises Stopped."""
        job, total = self._job, self._order.total_steps
        if self.has_stopped:
            raise Stopped(self._steps_done)
        if not self.ends_early and self._steps_done < total:
            said = f"The trainer ended after step {self._steps_done} of {total}: not every row was learned."
            raise Failure("steps_missing", said, "Install the environment again: this is not what was tested.")
        history = self._take_best() if self.ends_early else self._trainer.state.log_history
        job.report.phase("finishing", "Scoring the probe and writing the model", step=self._steps_done)
        if self._exam and not self.ends_early and self.totals.exam_loss_at_step != total:
            self.evaluate(step=total)
            if job.report.stop_asked:
                raise Stopped(total)
        return [entry["loss"] for entry in history if "loss" in entry]

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """The clock of the first step starts."""
        self._step_began_at = time.monotonic()

    def on_step_end(self, _arguments: Any, state: Any, control: Any, **_: Any) -> None:
        """Decide what follows this step. An exam comes after a checkpoint: a kill in its midst costs no step."""
        self._step_s = time.monotonic() - self._step_began_at
        self.totals.train_s += self._step_s
        step, report = state.global_step, self._job.report
        self._steps_done = step
        ends = report.stop_asked or report.keep_asked
        every = self._pace.save_every_steps
        control.should_log = True
        control.should_save = ends or self._is_exam_due(step) or self._is_epoch_end(step) or _is_due(step, every)
        self._stop_if(report.stop_asked, step, control)
        if report.keep_asked and not self.has_stopped:
            self._end_early(step, control)

    def on_log(self, _arguments: Any, state: Any, _control: Any, logs: dict[str, Any], **_: Any) -> None:
        """Report the step, or fail on a loss that cannot be right."""
        if "loss" not in logs:
            return
        step, loss, grad_norm = state.global_step, float(logs["loss"]), float(logs.get("grad_norm", 0.0))
        check_loss(step, loss, grad_norm, may_be_zero=getattr(self._trainer, "loss_may_be_zero", False))
        tokens = self._tokens[step - 1]
        pace = self._step_s / tokens
        self._seconds_per_token = 0.8 * self._seconds_per_token + 0.2 * pace if self._seconds_per_token else pace
        self.totals.peak_memory_mb = max(self._memory_before_mb, peak_memory_mb(self._job.order.device))
        self._job.report.say(
            EventKind.STEP,
            step=step,
            total_steps=self._order.total_steps,
            epoch=round(step / self._order.steps_per_epoch, 4),
            loss=loss,
            learning_rate=float(logs["learning_rate"]),
            grad_norm=grad_norm,
            tokens_per_s=round(tokens / self._step_s, 1),
            memory_mb=round(peak_memory_mb(self._job.order.device), 1),
            seconds_left=round(self._seconds_left(step), 1),
            tokens_seen=sum(self._tokens[:step]),
            **{ours: logs[theirs] for ours, theirs in PREFERENCES.items() if theirs in logs},
        )
        if step == 1:  # only now is known how long a training takes
            self._sample(0, step, without_adapter=True)
        self._step_began_at = time.monotonic()

    def on_save(self, arguments: Any, state: Any, control: Any, **_: Any) -> None:
        """Make the trainer's checkpoint one of ours, then score the exam if it is time."""
        step = state.global_step
        written = Path(arguments.output_dir) / f"checkpoint-{step}"
        (written / "training_args.bin").unlink(missing_ok=True)
        self.totals.duration_s = self.duration_s
        (written / "totals.json").write_text(json.dumps(asdict(self.totals)))
        self._job.publish_checkpoint(written, step)
        if (self._is_exam_due(step) or self.ends_early) and self._exam and not self.has_stopped:
            self.evaluate(step)
            if not self._job.report.stop_asked:
                self._sample(step, step)
            self._stop_if(self._job.report.stop_asked, step, control)
            if 0 < self._pace.patience <= self._job.num_scores_since_best and not self.has_stopped:
                self._end_early(step, control)
        self._step_began_at = time.monotonic()

    def evaluate(self, step: int) -> None:
        """Score the exam rows and report their mean loss a token; broken off when somebody asks to stop."""
        began_at = time.monotonic()
        scores: list[float] = []
        for start in range(0, len(self._exam), 32 * self._pace.batch_size):
            if self._job.report.stop_asked:
                return
            part = self._exam[start : start + 32 * self._pace.batch_size]
            scores += [value for row in self.score(part) for value in row]
        self._exam_s = time.monotonic() - began_at
        self.totals.exam_loss, self.totals.exam_loss_at_step = -sum(scores) / len(scores), step
        self._job.keep_score(step, self.totals.exam_loss)
        self._job.report.say(EventKind.EVALUATED, step=step, exam_loss=self.totals.exam_loss)

    def score_instead(self, model: Any, logprobs: Callable[[Any, dict[str, Any]], list[list[float]]]) -> None:
        """Score this model from now on, and so."""
        self._scored_instead, self._logprobs = model, logprobs

    def score(self, chosen: list[Row]) -> list[list[float]]:
        """The log-probability of each learned token of each row, in the model as it is now."""
        import torch

        model, size = self._scored_instead or self._trainer.model, self._pace.batch_size
        was_training = model.training
        by_length = sorted(range(len(chosen)), key=lambda place: len(chosen[place].input_ids))
        found: list[list[float]] = [[] for _ in chosen]
        model.eval()
        with torch.no_grad():
            for start in range(0, len(chosen), size):
                places = by_length[start : start + size]
                batch = self._collate(
                    [{"input_ids": chosen[at].input_ids, "labels": chosen[at].labels} for at in places]
                )
                batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
                for place, values in zip(places, self._logprobs(model, batch), strict=True):
                    found[place] = values
        model.train(was_training)
        return found

    @property
    def _exam_tokens(self) -> int:
        return sum(len(row.input_ids) for row in self._exam)

    def _is_epoch_end(self, step: int) -> bool:
        return step % self._order.steps_per_epoch == 0

    def _is_exam_due(self, step: int) -> bool:
        due = self._is_epoch_end(step) or _is_due(step, self._pace.evaluate_every_steps)
        return due and bool(self._exam)

    def _stop_if(self, asked: bool, step: int, control: Any) -> None:
        if asked and step < self._order.total_steps:
            self.has_stopped = control.should_training_stop = True

    def _end_early(self, step: int, control: Any) -> None:
        """End after this step with the best checkpoint; the last step ends by itself, and is kept as it is."""
        if step < self._order.total_steps:
            self.ends_early = control.should_training_stop = True

    def _take_best(self) -> list[dict[str, Any]]:
        """Put the adapter of the best checkpoint into the model; returns what was logged up to there."""
        from peft import load_peft_weights, set_peft_model_state_dict

        found = self._job.best_checkpoint()
        if found is None:
            hint = "Start it again, and let it do at least one step."
            raise Failure("nothing_to_keep", "There is no checkpoint whose model could be kept.", hint)
        folder, self.kept_step = found
        set_peft_model_state_dict(self._trainer.model, load_peft_weights(str(folder), device="cpu"))
        self.totals.exam_loss = self._job.score_of(self.kept_step)
        because = "as asked" if self._job.report.keep_asked else "because the exam no longer got better"
        kept = f"keeps the model of step {self.kept_step}"
        self._job.report.log(f"Ends after step {self._steps_done}, {because}; {kept}.")
        history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
        return list(history)

    def _sample(self, named: int, step: int, *, without_adapter: bool = False) -> None:
        """Answer a few exam rows, if there is time for it."""
        coming = 1 + sum(self._is_exam_due(later) for later in range(step + 1, self._order.total_steps + 1))
        training_s = self.totals.train_s + self._seconds_left(step)
        seconds = self._sampler.seconds_for_one(training_s=training_s, num_coming=coming)
        if coming == 1:  # what it answers in the end is what a person waits for
            seconds = max(seconds, LEAST_LAST_S)
        answers = self._sampler.answers(seconds, without_adapter=without_adapter)
        if answers:
            self._job.report.say(EventKind.SAMPLED, step=named, answers=answers)

    def _seconds_left(self, step: int) -> float:
        training = self._seconds_per_token * sum(self._tokens[step:])
        exam_s = self._exam_s
        if exam_s is None:
            exam_s = self._seconds_per_token * self._exam_tokens / BACKWARD_SHARE
        coming = (self._is_exam_due(later) for later in range(step, self._order.total_steps + 1))
        return training + exam_s * sum(coming)


def check_loss(step: int, loss: float, grad_norm: float, *, may_be_zero: bool = False) -> None:
    """Raise a Failure for a loss or a gradient that no sound training has."""
    if not isfinite(loss) or not isfinite(grad_norm):
        said = f"In step {step} the loss is {loss} and the gradient {grad_norm}: no longer numbers."
        raise Failure("loss_not_finite", said, "Lower the learning rate, then start again.")
    if loss == 0.0 and not may_be_zero:
        said = f"In step {step} the loss is exactly 0: there is nothing that the model could learn from."
        raise Failure("loss_zero", said, "Look at the rows of the training set: are their answers really there?")


def peak_memory_mb(device: str) -> float:
    """The most memory held so far: of this process on a CPU, of the device on a GPU."""
    if device == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    import torch

    return float(torch.cuda.max_memory_allocated() / 1e6)


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
