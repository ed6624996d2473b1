"""From right and wrong on the same rows to one honest sentence. Pure; `service.py` calls `decide`.

The tuned model is better or worse than the base model when the paired 95 % interval of the difference leaves out 0. It
was not needed when the base model, or a few stars as examples in its prompt, do as well: then the interval contains 0
and reaches at most ten points to each side, or the examples are ahead. A failed answer counts as wrong, and is said.
"""

from dataclasses import dataclass

from goldsmith.compare import statistics
from goldsmith.compare.types import ArmResult, Verdict, VerdictKind

FEWEST_ROWS = 5
"""With fewer rows than this, no verdict is given."""
EXAM_ROW = "exam row"

_NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class _Gap:
    """The tuned arm beside another one, row by row."""

    other: ArmResult
    found: statistics.PairedDifference
    mid_p: float
    rows_needed: int
    row: str
    """How one row is called."""

    @property
    def is_level(self) -> bool:
        return statistics.is_level(self.found)

    @property
    def is_open(self) -> bool:
        return not statistics.is_decided(self.found)


def decide(base: ArmResult, tuned: ArmResult, *, examples: ArmResult | None = None, row: str = EXAM_ROW) -> Verdict:
    """What the rows say about `tuned` beside `base`, and beside the base with `examples` in its prompt.

    `row` is how a sentence calls one of them.
    """
    arms = [arm for arm in (tuned, base, examples) if arm is not None]
    if len({arm.num_rows for arm in arms}) > 1:
        raise ValueError("All arms of a comparison need the same rows.")
    if tuned.num_rows < FEWEST_ROWS:
        return _too_few(tuned.num_rows, row)
    if silent := [arm for arm in (tuned, base) if arm.num_failed == arm.num_rows]:
        return _all_failed(silent[0])
    gap = _gap(tuned, base, row)
    usable = examples is not None and examples.num_failed < examples.num_rows
    with_examples = _gap(tuned, examples, row) if examples is not None and usable else None
    kind, lead, deciding = _judge(gap, with_examples)
    sentences = [
        lead,
        _counts(arms, row),
        *_about_examples(kind, with_examples),
        *_learned(kind, gap),
        *_failures(arms),
    ]
    is_open = kind in {VerdictKind.not_known, VerdictKind.better}
    open_gaps = [one for one in (gap, with_examples) if is_open and one is not None and one.is_open]
    return Verdict(
        kind=kind,
        sentence=" ".join(sentences),
        evidence_line=" ".join(_evidence(one) for one in (gap, with_examples) if one is not None),
        difference=deciding.found.difference,
        low=deciding.found.low,
        high=deciding.found.high,
        mid_p=deciding.mid_p,
        num_rows=tuned.num_rows,
        rows_needed=open_gaps[0].rows_needed if open_gaps else None,
        against=deciding.other.name,
    )


def _gap(tuned: ArmResult, other: ArmResult, row: str) -> _Gap:
    table = statistics.paired_table([right is True for right in tuned.is_right], [r is True for r in other.is_right])
    return _Gap(
        other=other,
        found=statistics.paired_difference_interval(*table),
        mid_p=statistics.mcnemar_mid_p(table.first_only, table.second_only),
        rows_needed=statistics.rows_needed(*table),
        row=row,
    )


def _judge(gap: _Gap, with_examples: _Gap | None) -> tuple[VerdictKind, str, _Gap]:
    """The kind, the words that the sentence begins with, and the gap that decided."""
    if gap.found.high < 0:
        return VerdictKind.worse, "Worse.", gap
    if gap.is_level:
        return VerdictKind.no_need, f"Training was not needed: {gap.other.label} does as well without it.", gap
    if with_examples is not None and (with_examples.is_level or with_examples.found.high < 0):
        do = "do as well" if with_examples.is_level else "do better"
        lead = f"Training was not needed: {_some_stars(with_examples.other)} as examples in the prompt {do}."
        return VerdictKind.no_need, lead, with_examples
    if gap.found.low > 0:
        return VerdictKind.better, "Better.", gap
    return VerdictKind.not_known, f"Not known yet: {_more_rows(gap)} would decide.", gap


def _about_examples(kind: VerdictKind, with_examples: _Gap | None) -> list[str]:
    if with_examples is None or kind not in {VerdictKind.better, VerdictKind.not_known}:
        return []
    if with_examples.is_open:
        more = _more_rows(with_examples)
        return [f"Whether examples alone would do is not known yet: {more} would decide."]
    if kind is VerdictKind.better:
        return ["Examples alone did not close the gap, so the training was worth it."]
    return []


def _learned(kind: VerdictKind, gap: _Gap) -> list[str]:
    """That the training itself showed no effect is another finding than that it was not needed."""
    if kind is not VerdictKind.no_need or gap.found.low > 0 or gap.other.num_right > gap.other.num_rows / 2:
        return []
    return ["The training did not make it better than the base model either: more rounds or more gold stars may."]


def _counts(arms: list[ArmResult], row: str) -> str:
    tuned, *rest = arms
    low, high = statistics.wilson_interval(tuned.num_right, tuned.num_rows)
    first = f"{_at_start(tuned.label)} got {tuned.num_right} of {tuned.num_rows} {row}s right"
    others = [f"{arm.label} {arm.num_right} of {arm.num_rows}" for arm in rest]
    return ", ".join([f"{first} ({100 * low:.0f} to {100 * high:.0f} %)", *others]) + "."


def _failures(arms: list[ArmResult]) -> list[str]:
    said = []
    for arm in arms:
        if arm.num_failed == arm.num_rows:
            said.append(f"Every answer of {arm.label} failed, so it says nothing here.")
        elif arm.num_failed:
            answers = "1 answer" if arm.num_failed == 1 else f"{arm.num_failed} answers"
            verb = "counts" if arm.num_failed == 1 else "count"
            said.append(f"{answers} of {arm.label} failed and {verb} as wrong.")
    return said


def _evidence(gap: _Gap) -> str:
    points = _points(abs(gap.found.difference))
    compared = f"{points} points {'more' if gap.found.difference > 0 else 'less'} than"
    if gap.found.difference == 0:
        compared = "Exactly as many as"
    mid_p = "below 0.0001" if gap.mid_p < 0.0001 else f"{gap.mid_p:.2g}"
    interval = f"95 % interval of the difference {_points(gap.found.low)} to {_points(gap.found.high)}"
    return f"{compared} {gap.other.label} ({interval}, mid-p {mid_p}, {gap.other.num_rows} {gap.row}s)."


def _too_few(num_rows: int, row: str) -> Verdict:
    rows = f"1 {row}" if num_rows == 1 else f"{num_rows} {row}s"
    hint = "Bring a dataset with more right answers."
    if row == EXAM_ROW:
        hint = "Give more gold stars: about one in five is kept back as an exam row."
    return _without_numbers(
        VerdictKind.too_few,
        sentence=f"Too few {row}s: there are {rows}, and a comparison needs at least {FEWEST_ROWS}. {hint}",
        num_rows=num_rows,
        rows_needed=FEWEST_ROWS - num_rows,
    )


def _all_failed(arm: ArmResult) -> Verdict:
    sentence = f"Not known: every one of the {arm.num_rows} answers of {arm.label} failed. Retry the failed rows first."
    return _without_numbers(VerdictKind.not_known, sentence=sentence, num_rows=arm.num_rows, rows_needed=None)


def _without_numbers(kind: VerdictKind, *, sentence: str, num_rows: int, rows_needed: int | None) -> Verdict:
    return Verdict(
        kind=kind,
        sentence=sentence,
        evidence_line="Nothing was compared.",
        difference=None,
        low=None,
        high=None,
        mid_p=None,
        num_rows=num_rows,
        rows_needed=rows_needed,
    )


def _some_stars(arm: ArmResult) -> str:
    if arm.num_examples == 0:
        return "your stars"
    word = _NUMBER_WORDS[arm.num_examples] if arm.num_examples < len(_NUMBER_WORDS) else str(arm.num_examples)
    return f"{word} of your stars"


def _more_rows(gap: _Gap) -> str:
    """An estimate is said with two digits, rounded up: 681 → "about 690 more exam rows"."""
    step = 10 ** max(0, len(str(gap.rows_needed)) - 2)
    rounded = -(-gap.rows_needed // step) * step
    return f"about {rounded} more {gap.row}{'' if rounded == 1 else 's'}"


def _points(share: float) -> str:
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    return f"{round(100 * share, 1) + 0.0:.1f}"


def _at_start(label: str) -> str:
    """Only an article becomes a capital; a model's name stays as it is."""
    return "The " + label.removeprefix("the ") if label.startswith("the ") else label
