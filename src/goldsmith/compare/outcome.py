"""What the answers of a finished comparison show: each arm's figures, wins and ties, the verdict, the metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.compare import asked, queries, statistics, verdict
from goldsmith.compare.asked import AskedRow
from goldsmith.compare.examples import NUM_EXAMPLES
from goldsmith.compare.measures import field_match, is_right, others
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.compare.types import ArmResult, Consistency, MeasuredAnswer, Verdict
from goldsmith.models.tables import FineTunedModel
from goldsmith.run.tables import Answer
from goldsmith.run.types import AnswerState
from goldsmith.storage import clock

LABELS = {
    "base": "the base model",
    "examples": "the base model with examples",
    "tuned": "the tuned model",
    queries.AGAIN: "the tuned model once more",
}


def record_outcome(session: Session, comparison_id: str, *, by: str) -> Verdict:
    """Measure every arm, decide, and write it down: in the comparison, its arms, and the fine-tuned model."""
    comparison = session.get_one(ModelComparison, comparison_id)
    arms = queries.arms(session, comparison_id)
    rows = asked.of_comparison(session, comparison)
    again = queries.second_asking(session, comparison_id)
    answers = queries.answers(session, [arm.run_id for arm in (*arms, again) if arm is not None])
    results = {arm.name: _measure(arm, rows, answers) for arm in arms}
    tuned = next(arm for arm in arms if arm.name == "tuned")
    consistency = _consistency(tuned.run_id, again.run_id, answers) if again is not None else None
    if consistency is not None and consistency.num_rows:
        tuned.figures = {**(tuned.figures or {}), "twice": asdict(consistency)}
    decided = verdict.decide(
        results["base"], results["tuned"], examples=results["examples"], row=asked.row_word(comparison)
    )
    comparison.verdict = {**asdict(decided), "kind": decided.kind.value}
    _count_wins(comparison, results["base"], results["tuned"])
    _write_metrics(session, comparison, results["tuned"], consistency, by=by)
    session.flush()
    return decided


def measured(answer: Answer | None) -> MeasuredAnswer:
    """An answer as measures see it."""
    if answer is None or answer.state != AnswerState.ANSWERED.value:
        return MeasuredAnswer(None)
    return MeasuredAnswer(answer.text, answer.duration_ms)


def _consistency(first_run: str, second_run: str, answers: Mapping[tuple[str, str], Answer]) -> Consistency:
    """Over the rows that were answered both times; the texts must be equal to the letter."""
    pairs = [
        (measured(answers.get((first_run, row_id))).text, measured(answer).text)
        for (run_id, row_id), answer in answers.items()
        if run_id == second_run
    ]
    both = [(first, second) for first, second in pairs if first is not None and second is not None]
    return Consistency(sum(first == second for first, second in both), len(both))


def _measure(arm: ComparisonArm, rows: Sequence[AskedRow], answers: Mapping[tuple[str, str], Answer]) -> ArmResult:
    found = [answers.get((arm.run_id, row.row_id)) for row in rows]
    right = tuple(is_right(measured(answer), row.expected) for answer, row in zip(found, rows, strict=True))
    num_examples = NUM_EXAMPLES if arm.name == "examples" else 0
    result = ArmResult(arm.name, LABELS[arm.name], right, num_examples)
    arm.figures = {
        "num_right": result.num_right,
        "num_rows": result.num_rows,
        "num_failed": result.num_failed,
        **_interval(result),
        "fields": _field_shares(rows, found),
        "num_cut_off": sum(answer is not None and answer.finish_reason == "length" for answer in found),
        "mean_answer_tokens": _mean([answer.answer_tokens for answer in found if answer is not None]),
        "mean_duration_ms": _mean([answer.duration_ms for answer in found if answer is not None]),
        "others": others.measured([(measured(each), row.expected) for each, row in zip(found, rows, strict=True)]),
    }
    return result


def _interval(result: ArmResult) -> dict[str, float]:
    low, high = statistics.wilson_interval(result.num_right, result.num_rows)
    return {"low": low, "high": high}


def _field_shares(rows: Sequence[AskedRow], answers: Sequence[Answer | None]) -> dict[str, int] | None:
    """Field of a JSON answer → in how many rows it is right; None where answers are not JSON objects."""
    counts: dict[str, int] = {}
    for row, answer in zip(rows, answers, strict=True):
        if field_match.parse(row.expected) is None:
            return None
        matched = field_match.match(measured(answer), row.expected)
        for name, is_same in matched.is_right.items() if matched is not None else ():
            counts[name] = counts.get(name, 0) + is_same
    return counts


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _count_wins(comparison: ModelComparison, base: ArmResult, tuned: ArmResult) -> None:
    pairs = [(bool(left), bool(right)) for left, right in zip(base.is_right, tuned.is_right, strict=True)]
    comparison.base_model_wins = sum(left and not right for left, right in pairs)
    comparison.fine_tuned_wins = sum(right and not left for left, right in pairs)
    comparison.ties = sum(left == right for left, right in pairs)
    comparison.win_rate = (comparison.fine_tuned_wins + comparison.ties / 2) / len(pairs)


def _write_metrics(
    session: Session, comparison: ModelComparison, tuned: ArmResult, consistency: Consistency | None, *, by: str
) -> None:
    model = session.get(FineTunedModel, comparison.fine_tuned_model_id)
    if model is None:
        return
    now: dict[str, Any] = {"by": by, "at": clock.now().isoformat()}
    found = {"win_rate": comparison.win_rate, "gold_star_rate": tuned.num_right / tuned.num_rows}
    if consistency is not None and consistency.score is not None:
        found["consistency_score"] = consistency.score
    for name, value in found.items():
        setattr(model, name, value)
    model.measured_at = {**model.measured_at, **dict.fromkeys(found, now)}
    model.updated_at = clock.now()
