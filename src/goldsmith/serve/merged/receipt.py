"""The proof that a merged model answers as its adapter was taught: the same probe, asked of the merged weights.

The base model's own numbers come from the probe: the training measured them, and the base is not in this engine.
"""

import time
from itertools import zip_longest

from goldsmith.errors import GoldsmithError
from goldsmith.models import inspection
from goldsmith.serve import probe, receipt
from goldsmith.serve.engine_client import EngineClient, Score, call, make_salt
from goldsmith.serve.errors import ProbeUnreadable
from goldsmith.serve.probe import ProbeRow
from goldsmith.serve.receipt import Finding, Report, Subject
from goldsmith.wire import manifest


def prove(subject: Subject, content_hash: str, report: Report) -> Finding:
    """As `receipt.prove`, for a subject whose `base_folder` has the merged weights and whose `folder` has the probe."""
    began = time.monotonic()
    finding = Finding()
    report(0.05, "Looking at the merged weights")
    rows = _check_files(subject, content_hash, finding)
    if rows and not finding.reason:
        report(0.2, "Comparing token ids with the engine's")
        receipt.check_tokens(subject, rows, finding)
        report(0.3, "Asking the engine for log-probabilities")
        _check_scores(subject, rows, finding)
    if rows and not finding.reason:
        report(0.8, "Letting it write")
        receipt.check_writing(subject, rows, finding)
    finding.duration_s = time.monotonic() - began
    if finding.is_green:
        finding.reason = (
            f"Proved on {finding.num_learn_rows} learn rows and {finding.num_exam_rows} exam rows: the engine finds "
            "with the merged weights the same probabilities as the training did with the adapter."
        )
    return finding


def _check_files(subject: Subject, content_hash: str, finding: Finding) -> list[ProbeRow]:
    try:
        found = inspection.inspect_folder(subject.base_folder).content_hash
    except GoldsmithError as error:
        found = error.message
    finding.check(
        "merged weights",
        found[:12],
        content_hash[:12],
        is_ok=found == content_hash,
        or_else="The merged weights are not those that were written: their hash is another one.",
    )
    is_whole = manifest.read_whole(subject.folder) is not None
    finding.check(
        "files of the fine-tuned model",
        "as they were written" if is_whole else "changed or missing",
        "every file has the hash in manifest.json",
        is_ok=is_whole,
        or_else="The fine-tuned model's files are not those that the training wrote, so its probe proves nothing.",
    )
    try:
        rows = probe.read(subject.folder)
    except ProbeUnreadable as error:
        finding.check("readable", "no", "the rows that prove it can be read", is_ok=False, or_else=error.message)
        return []
    receipt.check_template(subject, finding)
    return receipt.choose(rows, finding)


def _check_scores(subject: Subject, rows: list[ProbeRow], finding: Finding) -> None:
    # One token of every row, then the next of every row: so each finds the ones before it in the engine's cache.
    turns = zip_longest(*([(row, place) for place in row.places(receipt.NUM_FIRST_TOKENS)] for row in rows))
    places = [at for turn in turns for at in turn if at is not None]
    merged = _ask(subject, places)
    off = receipt.largest(a - row.tuned[place] for a, (row, place) in zip(merged, places, strict=True))
    effect = receipt.largest(a - row.base[place] for a, (row, place) in zip(merged, places, strict=True))
    finding.check(
        "effect of what was learned",
        f"moves a token by up to {effect:.3f} nats against the base model",
        f"more than {receipt.LEAST_EFFECT_NATS}",
        is_ok=effect > receipt.LEAST_EFFECT_NATS,
        or_else="The engine answers as the base model did before the training: these are not the merged weights.",
    )
    finding.check(
        "merged model's log-probabilities",
        f"off by at most {off:.4f} nats in {len(places)} tokens",
        f"at most {subject.tolerance_nats} from the training's, with the adapter",
        is_ok=off <= subject.tolerance_nats,
        or_else=f"The merged weights give other probabilities than the adapter did (off by {off:.2f} nats).",
    )
    receipt.check_gain(places, [row.base[place] for row, place in places], merged, finding)


def _ask(subject: Subject, places: list[tuple[ProbeRow, int]]) -> list[float]:
    scores = [
        Score(subject.model_id, row.prompt_ids + row.answer_ids[:place], row.answer_ids[place]) for row, place in places
    ]
    salt = make_salt()

    async def ask(engine: EngineClient) -> list[float]:
        return await engine.token_logprobs(scores, salt=salt, concurrency=receipt.NUM_CALLERS)

    return call(subject.url, subject.key, ask, timeout_s=receipt.REQUEST_TIMEOUT_S)
