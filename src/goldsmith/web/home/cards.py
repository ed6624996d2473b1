"""What to do next, in words: one card for everything that `compare.loop.decide` can say."""

from typing import Any

from goldsmith.compare.loop import Loop, Next
from goldsmith.compare.types import VerdictKind
from goldsmith.jobs.states import JobState
from goldsmith.stars.split import FEWEST_STARS, GOOD_START_STARS
from goldsmith.web import format as formats
from goldsmith.web.home.views import Button, NextCard


def next_card(loop: Loop) -> NextCard:
    """What to do next, in words."""
    return _CARDS[loop.next](loop)


def verdict_words(loop: Loop) -> str:
    """The newest verdict's sentence, or nothing."""
    verdict = loop.comparison.verdict if loop.comparison is not None else None
    return str(verdict["sentence"]) if verdict else ""


def _bring_rows(_: Loop) -> NextCard:
    return NextCard(
        "Bring your rows in",
        "A row is one thing that a model should answer: a message, a question, a document. A file with one row a line "
        "is enough.",
        "Nothing leaves this machine. You see the rows before anything is saved.",
        (Button("Start with mine", "/data/new"), Button("Show me with sample data", "/data/sample", is_post=True)),
    )


def _wait_for_rows(_: Loop) -> NextCard:
    return NextCard(
        "Your rows are coming in", "Every row is checked; bad ones are listed.", "", (Button("Look", "/data"),)
    )


def _run(loop: Loop) -> NextCard:
    rows = formats.counted(loop.counts.num_rows, "row")
    return NextCard(
        f"Let a model answer your {rows}",
        "You choose the model and say what it should do. Its first answers show what it can do already.",
        "Nothing starts yet: you see three examples first.",
        (Button("Choose a model", f"/runs/new?dataset={loop.dataset.id}" if loop.dataset else "/runs/new"),),
    )


def _wait_for_answers(loop: Loop) -> NextCard:
    return NextCard(
        "The model is answering",
        "The first answers will be here soon. You can close this page; it goes on.",
        "",
        (Button("Watch", f"/runs/{loop.run.id}" if loop.run else "/runs"),),
    )


def _give_stars(loop: Loop) -> NextCard:
    given = f"{formats.counted(loop.num_stars, 'gold star')} so far. " if loop.num_stars else ""
    return NextCard(
        "Give gold stars",
        f"{given}Read what the model wrote. Star what is right, and correct what is not: a correction counts as a "
        f"star. {GOOD_START_STARS} or more are a good start for a training.",
        f"From {FEWEST_STARS} stars on, some are kept back as an exam.",
        (Button("Read and star", f"/stars/{loop.run.id}" if loop.run else "/stars"),),
    )


def _export(loop: Loop) -> NextCard:
    return NextCard(
        f"Make a training set of your {formats.counted(loop.num_stars, 'gold star')}",
        "Some rows are kept back as an exam: the model never learns them, so they show later what it understood.",
        "Your stars stay as they are, and you can give more later.",
        (Button("Make a training set", "/stars/export"), Button("Give more stars", "/stars")),
    )


def _train(loop: Loop) -> NextCard:
    found = loop.training_set
    rows = formats.counted(found.num_learn if found else 0, "gold star")
    return NextCard(
        f"Train a model on {rows}",
        "You choose which model learns. You see what it will learn before anything starts.",
        "It takes minutes to hours, by rows and machine; you can pause it and close the page.",
        (Button("Choose what it learns", f"/training/new?training_set={found.id}" if found else "/training/new"),),
    )


def _wait_for_training(loop: Loop) -> NextCard:
    job = loop.training_job
    state = JobState(job.state).meaning if job else ""
    return NextCard(
        f"{loop.training.name if loop.training else 'The model'} is learning",
        f"{_begun_large((job.message if job else '') or state)}. You can close this page; it goes on.",
        "",
        (Button("Watch it learn", _training(loop)),),
    )


def _mend_training(loop: Loop) -> NextCard:
    failure: dict[str, Any] = (loop.training_job.failure if loop.training_job else None) or {}
    return NextCard(
        "The training stopped",
        str(failure.get("summary", "It failed.")),
        f"What to do: {failure.get('hint', 'look at its log.')}",
        (Button("See how to go on", _training(loop)),),
    )


def _deploy(loop: Loop) -> NextCard:
    return NextCard(
        f"Put {_name(loop)} on the engine",
        "Then it can answer beside its base model, and Goldsmith proves that the engine serves what was trained.",
        "About a second once the engine runs. Nobody gets it by default yet.",
        (Button("Deploy", f"{_model(loop)}/deploy", is_post=True), Button("See the model", _model(loop))),
    )


def _wait_for_proof(loop: Loop) -> NextCard:
    message = loop.live.deployment.message if loop.live else ""
    return NextCard(
        f"{_name(loop)} is being put to the proof",
        _begun_large(message) or "The engine is asked for what the model was taught.",
        "This goes on by itself.",
        (Button("Watch", _model(loop)),),
    )


def _look_at_receipt(loop: Loop) -> NextCard:
    return NextCard(
        f"{_name(loop)} was refused",
        "Its receipt is red: what the engine serves is not what was trained. It was taken off the engine.",
        "",
        (Button("Read the receipt", _model(loop)),),
    )


def _compare(loop: Loop) -> NextCard:
    return NextCard(
        f"Is {_name(loop)} better?",
        f"{formats.counted(loop.counts.num_exam, 'exam row')} were kept back. Let it and its base model answer them.",
        "It takes some minutes and changes nothing.",
        (Button("Compare", f"/model-comparison?model={loop.model.id}" if loop.model else "/model-comparison"),),
    )


def _wait_for_comparison(loop: Loop) -> NextCard:
    return NextCard(
        "The exam is under way",
        "Both models answer the rows that were kept back. There is no verdict before the end.",
        "You can close this page; it goes on.",
        (Button("Watch", _comparison(loop)),),
    )


def _mend_comparison(loop: Loop) -> NextCard:
    why = "Its answers so far are kept."
    return NextCard("The comparison stopped", why, "", (Button("See how to go on", _comparison(loop)),))


def _make_default(loop: Loop) -> NextCard:
    buttons = [Button("Make it the default", f"{_model(loop)}/default", is_post=True)]
    buttons += [Button("Read the comparison", _comparison(loop))] if loop.comparison else []
    why = verdict_words(loop) or "There are no exam rows, so nobody knows yet how much better it is."
    return NextCard(
        f"Put {_name(loop)} to work",
        f"{why} Its receipt is green.",
        "From then on, callers who name no model get it. You can undo this in under a second.",
        tuple(buttons),
    )


def _another_round(loop: Loop) -> NextCard:
    kind = str(((loop.comparison.verdict if loop.comparison else None) or {}).get("kind", ""))
    read = (Button("Read the comparison", _comparison(loop)),) if loop.comparison else ()
    if loop.counts.is_default:
        title, after = f"{_name(loop)} is at work", "Another round: let it answer new rows, star them, train again."
        return NextCard(title, verdict_words(loop) or after, after, (Button("Run it", _run_of(loop)), *read))
    if kind == VerdictKind.no_need.value:
        after = "You may keep the base model, with your stars as examples."
        return NextCard("Training was not needed", verdict_words(loop), after, read)
    title = "Not better yet" if kind == VerdictKind.worse.value else "More rows would decide"
    after = "Give more gold stars, make a new training set, and train again."
    return NextCard(title, verdict_words(loop), after, (Button("Give more gold stars", "/stars"), *read))


_CARDS = {
    Next.bring_rows: _bring_rows,
    Next.wait_for_rows: _wait_for_rows,
    Next.run: _run,
    Next.wait_for_answers: _wait_for_answers,
    Next.give_stars: _give_stars,
    Next.export: _export,
    Next.train: _train,
    Next.wait_for_training: _wait_for_training,
    Next.mend_training: _mend_training,
    Next.deploy: _deploy,
    Next.wait_for_proof: _wait_for_proof,
    Next.look_at_receipt: _look_at_receipt,
    Next.compare: _compare,
    Next.wait_for_comparison: _wait_for_comparison,
    Next.mend_comparison: _mend_comparison,
    Next.make_default: _make_default,
    Next.another_round: _another_round,
}


def _begun_large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name(loop: Loop) -> str:
    return loop.model.name if loop.model is not None else "The model"


def _model(loop: Loop) -> str:
    return f"/models/{loop.model.id}" if loop.model is not None else "/models"


def _training(loop: Loop) -> str:
    return f"/training/{loop.training.id}" if loop.training is not None else "/training"


def _comparison(loop: Loop) -> str:
    return f"/model-comparison/{loop.comparison.id}" if loop.comparison is not None else "/model-comparison"


def _run_of(loop: Loop) -> str:
    return f"/runs/new?model={loop.model.id}" if loop.model is not None else "/runs/new"
