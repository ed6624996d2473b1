"""How long the look before a training takes on 10,000 rows: the form with its first rows, the first look, later looks.

Over HTTP, with the base model that comes with Goldsmith and its real template; the rows are the sample's, put together.
"""

import itertools
import json
import random
import shutil
from pathlib import Path

from benchmarks.borrowed import base_folder
from benchmarks.browsing import Browser
from benchmarks.measure import ROUNDS, Measured, table, write_section
from benchmarks.servers import empty_home, served
from benchmarks.volume import PERSON
from sqlalchemy import insert
from tests.factories import HASH, make_base_model

from goldsmith import app
from goldsmith.app import Parts
from goldsmith.demo import story
from goldsmith.people import service as people
from goldsmith.settings import Settings
from goldsmith.stars.tables import TrainingSet, TrainingSetRow

NUM_ROWS = 10_000
NUM_LATER = 20
SET_FOLDER = "training-sets/set_1"


def fill(parts: Parts) -> str:
    """A training set of 10,000 different rows and the real model. Returns the address of the look at the pair."""
    texts = [line.split(",")[0] for line in story.rows_path().read_text(encoding="utf-8").splitlines()[1:]]
    dice = random.Random(0)  # noqa: S311 - the same rows every time, no secret
    with parts.database.transaction() as session:
        by = people.known_by_name(session, PERSON)
        base = make_base_model(session, by=by, name="smollm2")
        shutil.copytree(base_folder(), parts.home.root / base.folder)
        training_set = TrainingSet(
            id="set_1", name="10,000 stars", format="chatml", folder=SET_FOLDER, num_learn=NUM_ROWS * 4 // 5,
            num_exam=NUM_ROWS // 5, num_dropped=0, manifest={}, content_hash=HASH, domain=by.domain, created_by=by.id,
        )  # fmt: skip
        session.add(training_set)
        session.flush()
        session.execute(insert(TrainingSetRow), [row(number, texts, dice) for number in range(1, NUM_ROWS + 1)])
        return f"/training/look?training_set=set_1&base_model={base.id}&max_length=512"


def row(number: int, texts: list[str], dice: random.Random) -> dict[str, object]:
    """A row with the sample's prompt, of one to six of its messages."""
    asked = story.PROMPT_TEMPLATE.replace("{{message}}", " ".join(dice.choices(texts, k=dice.randint(1, 6))))
    answer = json.dumps({"topic": "billing", "urgency": "low", "number": number})
    turns = [("system", story.SYSTEM_TEXT), ("user", asked), ("assistant", answer)]
    messages = [{"role": role, "content": text} for role, text in turns]
    side, position = ("exam", number // 5) if number % 5 == 0 else ("learn", number)
    named = {"training_set_id": "set_1", "row_id": f"row_{number}", "answer_id": "", "mark_id": 0, "stratum": ""}
    return {**named, "side": side, "position": position, "messages": messages, "expected": answer}


def main() -> None:
    """Fill, serve, look, write the section."""
    with empty_home() as env:
        parts = app.assemble(Settings(home=Path(env["GOLDSMITH_HOME"])))
        app.prepare_database(parts)
        address = fill(parts)
        form = address.replace("/training/look", "/training/new")
        with served(["-m", "goldsmith", "web"], port=int(env["GOLDSMITH_PORT"]), env=env) as server:
            browser = Browser(server.port, PERSON)
            firsts, first_rows, later = [], [], []
            for number in range(ROUNDS):
                shutil.rmtree(parts.home.root / SET_FOLDER, ignore_errors=True)
                first_rows += [browser.get(form)[2] / 1000]
                firsts += [browser.get(address)[2] / 1000]
                limits = itertools.islice(itertools.count(64, 61), number, NUM_LATER + number)
                later += [browser.get(address.replace("512", str(limit)))[2] / 1000 for limit in limits]
                print(f"round {number + 1} of {ROUNDS}: {firsts[-1]:.1f} s", flush=True)
            browser.close()
        parts.database.dispose()
    found = [("the form with its first rows", first_rows, "under 1 s"), ("the first look", firsts, "under 20 s")]
    rows = [[name, Measured(tuple(values)).text("s"), goal] for name, values, goal in found]
    rows += [["a later look, with another limit", Measured(tuple(later)).text("s"), "under 1 s"]]
    words = f"{NUM_ROWS:,} rows with the sample's prompt and one to six messages, over HTTP until the last byte."
    write_section(
        "A look before a training", words, table(["", "median (range)", "goal"], rows),
        command=".venv/bin/python -m benchmarks.look",
    )  # fmt: skip


if __name__ == "__main__":
    main()
