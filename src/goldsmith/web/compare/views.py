"""What the pages of comparisons show, made from rows. Knows no request and asks no database."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from goldsmith.compare.asked import AskedRow, row_word
from goldsmith.compare.measures import field_match, is_nearly_right, is_right
from goldsmith.compare.outcome import measured
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.compare.types import MeasuredAnswer, VerdictKind
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.run.tables import Answer
from goldsmith.web import format as formats
from goldsmith.web.forms import FormField
from goldsmith.web.job_lines import JobLine
from goldsmith.web.listing import Chip, Pager
from goldsmith.web.pages import Page
from goldsmith.web.parts import Interval

Outcome = Literal["worse", "better", "wrong", "right"]
ORDER: tuple[Outcome, ...] = ("worse", "better", "wrong", "right")
"""Bad news first."""
LOOKS = {
    VerdictKind.better: ("better", "Better"),
    VerdictKind.worse: ("worse", "Worse"),
    VerdictKind.not_known: ("unknown", "Not known yet"),
    VerdictKind.no_need: ("same", "Training was not needed"),
    VerdictKind.too_few: ("unknown", "Too few rows"),
}
NAMES = {"base": "Base model", "examples": "Base with examples", "tuned": "Fine-tuned"}


@dataclass(frozen=True)
class ComparisonLine:
    """A comparison as a line of the list."""

    id: str
    name: str
    state: JobState
    look: str
    words: str
    created_at: datetime


@dataclass(frozen=True)
class ComparisonsPage(Page):
    """Every comparison, and the form that starts one."""

    template: ClassVar[str] = "compare/comparisons.html"
    current: ClassVar[str] = "comparison"
    comparisons: tuple[ComparisonLine, ...]
    pager: Pager
    fields: tuple[FormField, ...]
    can_start: bool
    has_models: bool


@dataclass(frozen=True)
class ArmAnswer:
    """What one arm wrote for a row; `fields` are (name, value, is wrong) where a JSON object is expected."""

    name: str
    is_right: bool | None
    fields: tuple[tuple[str, str, bool], ...]
    text: str
    note: str = ""


@dataclass(frozen=True)
class RowPair:
    """A row with the answers of all arms and with what the gold star says."""

    position: int
    question: str
    outcome: Outcome
    answers: tuple[ArmAnswer, ...]
    expected: ArmAnswer


@dataclass(frozen=True)
class VerdictView:
    """The sentence, what stands behind it, and how it looks."""

    look: str
    word: str
    sentence: str
    evidence: str


@dataclass(frozen=True)
class Action:
    """What is to be done now; `is_post` is a write."""

    label: str
    href: str
    is_post: bool = False
    is_gold: bool = True


@dataclass(frozen=True)
class Model:
    """The fine-tuned model as the comparison's page needs it."""

    id: str
    name: str
    base_name: str
    is_proved: bool
    is_default: bool


@dataclass(frozen=True)
class ComparisonPage(Page):
    """One comparison: the verdict, the chart, every measure, the rows."""

    template: ClassVar[str] = "compare/comparison.html"
    current: ClassVar[str] = "comparison"
    id: str
    job: JobLine
    failure: JobFailure | None
    model: Model
    num_answers: int
    num_wanted: int
    num_rows: int
    num_asked_twice: int
    row_word: str
    source: Chip
    """Where the rows come from."""
    verdict: VerdictView | None
    actions: tuple[Action, ...]
    intervals: tuple[Interval, ...]
    finding: str
    measures: tuple[tuple[str, ...], ...]
    rule: str
    """When an answer counts as right."""
    against: str
    other: Chip
    filters: tuple[Chip, ...]
    rows: tuple[RowPair, ...]
    pager: Pager


def comparison_line(row: ModelComparison) -> ComparisonLine:
    """A row as a line."""
    state = JobState(row.status)
    if row.verdict:
        look, word = LOOKS[VerdictKind(row.verdict["kind"])]
        words = f"{word}, {formats.counted(row.test_count, row_word(row))}"
    else:
        look, words = "", f"{formats.counted(row.test_count, row_word(row))}, no verdict yet"
    return ComparisonLine(row.id, row.name, state, look, words, row.created_at)


def verdict_view(row: ModelComparison) -> VerdictView | None:
    """The verdict, once there is one."""
    if row.verdict is None:
        return None
    look, word = LOOKS[VerdictKind(row.verdict["kind"])]
    sentence = str(row.verdict["sentence"]).removeprefix(f"{word}. ")
    return VerdictView(look, word, sentence, str(row.verdict["evidence_line"]))


def actions_of(row: ModelComparison, model: Model, num_worse: int) -> tuple[Action, ...]:
    """What to do now, by the verdict; at most the first is gold."""
    if row.verdict is None:
        return ()
    worse = f"/model-comparison/{row.id}?show=worse#rows"
    see: tuple[Action, ...] = ()
    if num_worse:
        see = (Action(f"See the {formats.counted(num_worse, 'row')} that got worse", worse, is_gold=False),)
    match VerdictKind(row.verdict["kind"]):
        case VerdictKind.better if model.is_default:
            return (Action("Run it over a dataset", f"/runs/new?model={model.id}"), *see)
        case VerdictKind.better if model.is_proved:
            return (Action("Make it the default", f"/models/{model.id}/default", is_post=True), *see)
        case VerdictKind.better:
            return (Action("Deploy it", f"/models/{model.id}/deploy", is_post=True), *see)
        case VerdictKind.not_known | VerdictKind.too_few:
            return (Action("Give more gold stars", "/stars"), *see)
        case VerdictKind.no_need:
            return (Action("Read the rows", "#rows", is_gold=False), *see)
        case VerdictKind.worse:
            return (Action("See what got worse", worse), Action("Give more gold stars", "/stars", is_gold=False))


def intervals_of(arms: Sequence[ComparisonArm], model: Model) -> tuple[Interval, ...]:
    """The arms with how many rows they got right, once they are measured."""
    return tuple(_interval(arm, model) for arm in arms if arm.figures)


def finding_of(arms: Sequence[ComparisonArm], model: Model, row_name: str) -> str:
    """What the chart shows, in words."""
    told = [
        f"{arm_name(arm, model)} {arm.figures['num_right']} of {arm.figures['num_rows']}" for arm in arms if arm.figures
    ]
    return f"{row_name.capitalize()}s right, with 95 % intervals: {', '.join(told)}."


def arm_name(arm: ComparisonArm, model: Model) -> str:
    """How pages call an arm."""
    return model.name if arm.name == "tuned" else NAMES.get(arm.name, arm.name)


def rule_of(arms: Sequence[ComparisonArm]) -> str:
    """When an answer counts as right, in words: by its fields where gold stars are JSON objects, else by its text."""
    if any((arm.figures or {}).get("fields") for arm in arms):
        return (
            "An answer is right when every field has the gold star’s value, to the letter, and there is no other. "
            "The order of the fields does not count; capitals do."
        )
    return (
        "An answer is right when it is the gold star’s text, to the letter: capitals count, spaces at its ends do not. "
        "Long free texts are hardly ever equal; look at them side by side."
    )


def measures_of(arms: Sequence[ComparisonArm], nearly: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """Lines of the table: what, then its value for each arm. `nearly` is how often an arm missed by capitals alone."""
    measured_arms = [arm for arm in arms if arm.figures]
    figures = [arm.figures for arm in measured_arms if arm.figures]
    if not figures:
        return ()
    names = list(figures[0].get("fields") or {})

    def share(each: Mapping[str, Any], count: int) -> str:
        return f"{count:,} of {each['num_rows']:,}"

    lines = [("Rows right", *(share(each, each["num_right"]) for each in figures))]
    if any(nearly.values()):
        close = (f"{nearly.get(arm.name, 0):,}" for arm in measured_arms)
        lines += [("Wrong only by capitals or spaces", *close)]
    lines += [
        (f"“{name}” right", *(share(each, (each.get("fields") or {}).get(name, 0)) for each in figures))
        for name in names
    ]
    lines += [
        ("Same answer twice", *(_twice(each.get("twice")) for each in figures)),
        ("Cut off", *(share(each, each.get("num_cut_off", 0)) for each in figures)),
        ("No answer", *(share(each, each["num_failed"]) for each in figures)),
        ("Length of an answer, mean", *(_mean(each.get("mean_answer_tokens"), "tokens") for each in figures)),
        ("Time an answer, mean", *(_seconds(each.get("mean_duration_ms")) for each in figures)),
    ]
    return (*lines, *_others(figures))


def outcome_of(right: Collection[str], against: str) -> Outcome:
    """How the tuned arm did beside `against`, from the names of the arms that got the row right."""
    if "tuned" in right:
        return "right" if against in right else "better"
    return "worse" if against in right else "wrong"


def _others(figures: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """What measures of plugins found."""
    names = dict.fromkeys(name for each in figures for name in each.get("others") or {})
    for name in names:
        found = [(each.get("others") or {}).get(name) for each in figures]
        yield (f"{name.replace('_', ' ').capitalize()}, mean", *map(_other, found))


def _other(found: Mapping[str, Any] | None) -> str:
    if found is not None and "failed" in found:
        return f"failed: {found['failed']}"
    if found is None or found["mean"] is None:
        return formats.UNMEASURED
    return f"{found['mean']:,.3g} {found['unit']}".strip()


def _twice(twice: Mapping[str, int] | None) -> str:
    """Only the tuned model is asked twice."""
    return f"{twice['num_same']:,} of {twice['num_rows']:,}" if twice is not None else formats.UNMEASURED


def pair_of(row: AskedRow, answers: Mapping[str, Answer | None], against: str, model: Model) -> RowPair:
    """A row with all arms' answers. `answers` is by the arm's name; the outcome is the tuned arm's beside `against`."""
    right = {name for name, answer in answers.items() if is_right(measured(answer), row.expected)}
    asked = [str(turn["content"]) for turn in row.asked if turn["role"] == "user"]
    shown = tuple(
        _arm_answer(model.name if name == "tuned" else NAMES[name], answer, row.expected)
        for name, answer in answers.items()
    )
    expected = ArmAnswer("Gold star", True, _fields(row.expected, row.expected), row.expected)
    return RowPair(row.position, asked[-1] if asked else "", outcome_of(right, against), shown, expected)


def _arm_answer(name: str, answer: Answer | None, expected: str) -> ArmAnswer:
    if answer is None:
        return ArmAnswer(name, None, (), "", "no answer yet")
    seen = measured(answer)
    if seen.text is None:
        return ArmAnswer(name, None, (), "", f"failed: {answer.error or 'no reason was given'}")
    note = "cut off" if answer.finish_reason == "length" else ""
    if is_nearly_right(seen, expected):
        note = "wrong only by capitals or spaces"
    return ArmAnswer(name, is_right(seen, expected), _fields(seen.text, expected), seen.text, note)


def _fields(text: str, expected: str) -> tuple[tuple[str, str, bool], ...]:
    """Field by field, where the answer and what is expected are JSON objects."""
    given, wanted = field_match.parse(text), field_match.parse(expected)
    if given is None or wanted is None:
        return ()
    names = [*wanted, *(name for name in given if name not in wanted)]
    shown = []
    for name in names:
        one = field_match.match(
            MeasuredAnswer(json.dumps({name: given.get(name)})), json.dumps({name: wanted.get(name)})
        )
        is_same = name in given and name in wanted and one is not None and one.are_all_right
        shown.append((name, _plain(given[name]) if name in given else "missing", not is_same))
    return tuple(shown)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _interval(arm: ComparisonArm, model: Model) -> Interval:
    figures = arm.figures or {}
    low, high = 100 * figures["low"], 100 * figures["high"]
    at = 100 * figures["num_right"] / max(1, figures["num_rows"])
    rest = f"of {figures['num_rows']:,} ({low:.0f} to {high:.0f} %)"
    value = f"{figures['num_right']:,}"
    return Interval(arm_name(arm, model), round(low, 1), round(at, 1), round(high, 1), value, rest, arm.name == "tuned")


def _mean(value: float | None, unit: str) -> str:
    return formats.UNMEASURED if value is None else f"{formats.number(value)} {unit}"


def _seconds(value_ms: float | None) -> str:
    return formats.UNMEASURED if value_ms is None else formats.duration(value_ms / 1000)
