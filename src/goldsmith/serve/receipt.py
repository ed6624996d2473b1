"""The proof that a loaded model has learned what it was taught, from the model's own probe, measured in the engine.

First what its files say, then what the engine says; the first thing that is not right is the reason. It knows neither
the database nor jobs. An engine that does not answer is no verdict: that error goes up to the caller.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from goldsmith.models.rendering import Renderer
from goldsmith.serve import probe, weights
from goldsmith.serve.engine_client import Completion, EngineClient, Score, call, make_salt
from goldsmith.serve.errors import ProbeUnreadable, WeightsUnreadable
from goldsmith.serve.probe import ProbeRow
from goldsmith.serve.types import ReceiptLine
from goldsmith.wire import manifest

NUM_ROWS = 4
NUM_FIRST_TOKENS = 4
NUM_CALLERS = 8
TOLERANCE_NATS = 0.05
"""Trainer and engine add the same float32 numbers in another order: seen to differ by 0.0001; other weights, by 10."""
BFLOAT16_TOLERANCE_NATS = 0.5
"""On a GPU the engine computes in bfloat16, with some three digits; not measured yet."""
LEAST_EFFECT_NATS = 0.02
"""An adapter that moves no token by more than this does nothing that anybody could notice."""
MAX_ANSWER_TOKENS = 128
REQUEST_TIMEOUT_S = 120.0
_CHATS: tuple[tuple[dict[str, str], ...], ...] = (
    ({"role": "user", "content": "What is 2 + 2?"},),
    ({"role": "system", "content": "Answer briefly.\n"}, {"role": "user", "content": " Grüße, 12345 \n\t“ok”? "}),
)


@dataclass(frozen=True)
class Subject:
    """What is to be proved, and where."""

    model_id: str
    folder: Path
    template_hash: str
    lora_rank: int | None
    base_folder: Path
    base_name: str
    """The base model's name in the engine; the model's is its id."""
    max_lora_rank: int
    url: str
    key: str | None
    tolerance_nats: float = TOLERANCE_NATS


@dataclass
class Finding:
    """What came out. `reason` is one sentence; green when every line is."""

    lines: list[ReceiptLine] = field(default_factory=list)
    reason: str = ""
    num_learn_rows: int = 0
    num_exam_rows: int = 0
    duration_s: float = 0.0
    latency_ms: float | None = None
    tokens_per_second: float | None = None

    @property
    def is_green(self) -> bool:
        """Whether the model has shown what it has learned."""
        return bool(self.lines) and all(line.is_ok for line in self.lines)

    def check(self, name: str, value: object, expected: str, *, is_ok: bool, or_else: str = "") -> bool:
        """Write a line; the first one that is not right gives the reason."""
        self.lines.append(ReceiptLine(name, str(value), expected, is_ok))
        if not is_ok and not self.reason:
            self.reason = or_else
        return is_ok


Report = Callable[[float, str], None]


def prove(subject: Subject, report: Report) -> Finding:
    """Look at the files, then ask the engine. Raises what the engine client raises when the engine is not there."""
    began = time.monotonic()
    finding = Finding()
    report(0.05, "Looking at the model's files")
    rows = _check_files(subject, finding)
    if rows and not finding.reason:
        report(0.2, "Comparing token ids with the engine's")
        check_tokens(subject, rows, finding)
        report(0.3, "Asking the engine for log-probabilities")
        _check_scores(subject, rows, finding)
    if rows and not finding.reason:
        report(0.8, "Letting it write")
        check_writing(subject, rows, finding)
    finding.duration_s = time.monotonic() - began
    if finding.is_green:
        finding.reason = (
            f"Proved on {finding.num_learn_rows} learn rows and {finding.num_exam_rows} exam rows: the engine finds "
            "the same probabilities as the training did, and the model knows its rows better than its base."
        )
    return finding


# What its files say


def _check_files(subject: Subject, finding: Finding) -> list[ProbeRow]:
    is_whole = manifest.read_whole(subject.folder) is not None
    finding.check(
        "files",
        "as they were written" if is_whole else "changed or missing",
        "every file has the hash in manifest.json",
        is_ok=is_whole,
        or_else="The model's files are not those that the training wrote: a hash differs from manifest.json.",
    )
    try:
        config = _read_config(subject.folder)
        tensors = weights.read_header(subject.folder / "adapter_model.safetensors")
        rows = probe.read(subject.folder)
    except (WeightsUnreadable, ProbeUnreadable) as error:
        finding.check(
            "readable", "no", "the adapter and the rows that prove it can be read", is_ok=False, or_else=error.message
        )
        return []
    _check_shape(subject, config, tensors, finding)
    _check_names(subject, tensors, finding)
    is_zero = weights.is_all_zero(subject.folder / "adapter_model.safetensors", weights.second_halves(tensors))
    finding.check(
        "adapter's B matrices",
        "all zero" if is_zero else "not zero",
        "not zero",
        is_ok=not is_zero,
        or_else="The adapter changes nothing: all of its B matrices are zero, as before a training.",
    )
    check_template(subject, finding)
    return choose(rows, finding)


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise WeightsUnreadable(f"adapter_config.json cannot be read: {error}.") from error


def _check_shape(
    subject: Subject, config: dict[str, Any], tensors: dict[str, weights.Tensor], finding: Finding
) -> None:
    rank = weights.rank_of(tensors)
    said = {config.get("r"), subject.lora_rank if subject.lora_rank is not None else rank}
    is_ok = rank is not None and said == {rank} and rank <= subject.max_lora_rank
    finding.check(
        "size of the adapter (rank)",
        rank,
        f"as trained ({subject.lora_rank}), at most the engine's limit ({subject.max_lora_rank})",
        is_ok=is_ok,
        or_else=f"The adapter has rank {rank}; it was trained with {subject.lora_rank}, and the engine takes up to "
        f"{subject.max_lora_rank}.",
    )
    wanted = config.get("target_modules")
    found = {module.split(".")[-2] for name in tensors if (module := weights.module_of(name))}
    if isinstance(wanted, list) and found:
        missing = sorted(set(wanted) - found)
        finding.check(
            "modules",
            f"{len(found)} kinds",
            f"those of adapter_config.json ({len(set(wanted))} kinds)",
            is_ok=not missing,
            or_else=f"The adapter has no weights for {', '.join(missing)}, which its adapter_config.json names.",
        )


def _check_names(subject: Subject, tensors: dict[str, weights.Tensor], finding: Finding) -> None:
    base_names = weights.names_of_folder(subject.base_folder)
    foreign = weights.strangers(tensors, base_names)
    finding.check(
        "names of the weights",
        f"{len(tensors) - len(foreign)} of {len(tensors)} exist in the base model",
        "all",
        is_ok=not foreign,
        or_else=f"{len(foreign)} of the adapter's {len(tensors)} weights have names that the base model does not have "
        f"(such as {foreign[0] if foreign else ''}), so an engine would silently leave them out.",
    )


def check_template(subject: Subject, finding: Finding) -> None:
    """Whether the model was trained under the template that the engine uses."""
    found = Renderer.open(subject.base_folder).template_hash
    finding.check(
        "chat template",
        found[:12],
        subject.template_hash[:12],
        is_ok=found == subject.template_hash,
        or_else="The model was trained under another chat template than the one that the engine uses, so it would "
        "read other prompts than it learned from.",
    )


def choose(rows: Sequence[ProbeRow], finding: Finding) -> list[ProbeRow]:
    """The rows that are asked."""
    learn, exam = (probe.choose(rows, side, NUM_ROWS) for side in ("learn", "exam"))
    finding.num_learn_rows, finding.num_exam_rows = len(learn), len(exam)
    finding.check(
        "rows that prove it (probe)",
        f"{len(learn)} learn rows and {len(exam)} exam rows",
        "at least one learn row",
        is_ok=bool(learn),
        or_else="Among the rows that should prove it is no learn row, so nothing can be proved.",
    )
    return [*learn, *exam]


# What the engine says


def check_tokens(subject: Subject, rows: Sequence[ProbeRow], finding: Finding) -> None:
    """Whether the engine makes the same tokens of chats as the training did."""
    renderer = Renderer.open(subject.base_folder)
    chats = [list(chat) for chat in _CHATS]
    chats += [[m for m in row.messages if m["role"] != "assistant"] for row in rows if row.messages]
    wanted = [renderer.render_prompt(chat).token_ids for chat in chats[: len(_CHATS)]]
    wanted += [list(row.prompt_ids) for row in rows if row.messages]
    prompts = [list(row.prompt_ids) for row in rows]

    async def ask(engine: EngineClient) -> tuple[list[list[int]], list[list[int]]]:
        seen = [await engine.tokenize(subject.model_id, chat) for chat in chats]
        return seen, [await engine.round_trip(subject.model_id, prompt) for prompt in prompts]

    seen, turned = call(subject.url, subject.key, ask, timeout_s=REQUEST_TIMEOUT_S)
    num_same = sum(ids == known for ids, known in zip(seen, wanted, strict=True))
    finding.check(
        "prompts as token ids",
        f"{num_same} of {len(chats)} chats equal",
        "the engine renders chats as the training did",
        is_ok=num_same == len(chats),
        or_else="The engine turns chats into other tokens than the training did: its chat template or its tokenizer "
        "is another one.",
    )
    num_turned = sum(ids == known for ids, known in zip(turned, prompts, strict=True))
    finding.check(
        "prompts of these rows through the engine's tokenizer",
        f"{num_turned} of {len(prompts)} equal",
        "ids to text and back gives the same ids",
        is_ok=num_turned == len(prompts),
        or_else="The engine's tokenizer is not the one that the model was trained with.",
    )


def _check_scores(subject: Subject, rows: Sequence[ProbeRow], finding: Finding) -> None:
    # One token of every row, then the next of every row: so each finds the ones before it in the engine's cache.
    turns = zip_longest(*([(row, place) for place in row.places(NUM_FIRST_TOKENS)] for row in rows))
    places = [at for turn in turns for at in turn if at is not None]
    base, tuned = _ask_scores(subject, places)
    off_base = largest(a - row.base[place] for a, (row, place) in zip(base, places, strict=True))
    off_tuned = largest(a - row.tuned[place] for a, (row, place) in zip(tuned, places, strict=True))
    effect = largest(a - b for a, b in zip(tuned, base, strict=True))
    within = f"at most {subject.tolerance_nats} from the training's"
    finding.check(
        "base model's log-probabilities",
        f"off by at most {off_base:.4f} nats in {len(places)} tokens",
        within,
        is_ok=off_base <= subject.tolerance_nats,
        or_else="The engine's base model is not the one that the model was trained from: it finds other probabilities "
        f"(off by {off_base:.2f} nats).",
    )
    finding.check(
        "effect of the adapter",
        f"moves a token by up to {effect:.3f} nats",
        f"more than {LEAST_EFFECT_NATS}",
        is_ok=effect > LEAST_EFFECT_NATS,
        or_else="The engine answers with the adapter exactly as without it: it is loaded, but does nothing.",
    )
    finding.check(
        "tuned model's log-probabilities",
        f"off by at most {off_tuned:.4f} nats in {len(places)} tokens",
        within,
        is_ok=off_tuned <= subject.tolerance_nats,
        or_else="The engine finds other probabilities for the rows that it learned from than its training did (off by "
        f"{off_tuned:.2f} nats): these weights were trained on other rows.",
    )
    check_gain(places, base, tuned, finding)


def _ask_scores(subject: Subject, places: Sequence[tuple[ProbeRow, int]]) -> tuple[list[float], list[float]]:
    def score(model: str, row: ProbeRow, place: int) -> Score:
        return Score(model, row.prompt_ids + row.answer_ids[:place], row.answer_ids[place])

    scores = [score(model, *at) for model in (subject.base_name, subject.model_id) for at in places]
    salt = make_salt()

    async def ask(engine: EngineClient) -> list[float]:
        return await engine.token_logprobs(scores, salt=salt, concurrency=NUM_CALLERS)

    found = call(subject.url, subject.key, ask, timeout_s=REQUEST_TIMEOUT_S)
    return found[: len(places)], found[len(places) :]


def check_gain(
    places: Sequence[tuple[ProbeRow, int]], base: Sequence[float], tuned: Sequence[float], finding: Finding
) -> None:
    """Whether it knows what it learned better than its base."""
    for side in ("learn", "exam"):
        at = [number for number, (row, _) in enumerate(places) if row.side == side]
        if not at:
            continue
        before, after = sum(base[n] for n in at), sum(tuned[n] for n in at)
        # An exam row is not what it was taught; how well it does there is for a comparison to say.
        finding.check(
            f"{side} rows",
            f"{before:.2f} nats with the base, {after:.2f} tuned",
            "better than the base" if side == "learn" else "for information",
            is_ok=after > before or side == "exam",
            or_else="The model does not know the rows that it learned from any better than its base: it was trained "
            "on other rows, or not at all.",
        )


def largest(differences: Any) -> float:
    """The largest of these, whichever way they differ."""
    return max((abs(value) for value in differences), default=0.0)


def check_writing(subject: Subject, rows: Sequence[ProbeRow], finding: Finding) -> None:
    """Whether it stops by itself, and how fast it writes."""
    learn = sorted((row for row in rows if row.side == "learn"), key=lambda row: len(row.answer_ids))[:3]
    salt = make_salt()

    async def write(engine: EngineClient) -> tuple[bool, list[Completion], list[Completion], float]:
        was_idle = (await engine.counters()).num_running == 0
        alone = [
            await engine.complete(subject.model_id, row.prompt_ids, max_tokens=_room(row), salt=salt) for row in learn
        ]
        began = time.monotonic()
        prompts = [rows[number % len(rows)].prompt_ids for number in range(NUM_CALLERS)]
        together = await engine.complete_all(subject.model_id, prompts, max_tokens=16, salt=make_salt())
        return was_idle, alone, together, time.monotonic() - began

    was_idle, alone, together, together_s = call(subject.url, subject.key, write, timeout_s=REQUEST_TIMEOUT_S)
    num_stopped = sum(answer.finish_reason == "stop" for answer in alone)
    is_long = len(learn[0].answer_ids) > MAX_ANSWER_TOKENS
    finding.check(
        "stops by itself",
        f"{num_stopped} of {len(alone)} answers" + (" (its answers are too long to wait for)" if is_long else ""),
        "at least one",
        is_ok=num_stopped > 0 or is_long,
        or_else="The model does not stop: it never wrote its end marker behind an answer that it learned.",
    )
    _note_speed(finding, alone, was_idle=was_idle)
    num_tokens = sum(len(answer.token_ids) for answer in together)
    finding.check(
        f"speed with {NUM_CALLERS} callers",
        f"{num_tokens / together_s:.1f} tokens/s",
        "for information",
        is_ok=True,
    )


def _room(row: ProbeRow) -> int:
    return min(len(row.answer_ids) + 16, MAX_ANSWER_TOKENS)


def _note_speed(finding: Finding, alone: Sequence[Completion], *, was_idle: bool) -> None:
    num_tokens = sum(len(answer.token_ids) for answer in alone)
    if not was_idle or not num_tokens:
        finding.check("speed alone", "not measured: others were asking, too", "for information", is_ok=True)
        return
    finding.latency_ms = round(1000 * statistics.median(answer.duration_s for answer in alone), 1)
    finding.tokens_per_second = round(num_tokens / sum(answer.duration_s for answer in alone), 2)
    finding.check(
        "speed alone",
        f"{finding.tokens_per_second} tokens/s, {finding.latency_ms:.0f} ms an answer",
        "for information",
        is_ok=True,
    )
