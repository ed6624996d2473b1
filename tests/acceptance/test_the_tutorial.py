"""What the documents show really runs, in its order, with the fakes: `tests/tutorial.py` says what is replaced.

The how-tos are followed after the tutorial, in the same home.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import tutorial
from tests.tutorial import Walk

from goldsmith.demo import story

pytestmark = [pytest.mark.enable_socket, pytest.mark.documents]
BIN = Path(sys.executable).parent
HOWTOS = tutorial.TUTORIAL.parent / "howto"
FOLLOWED = (
    "bring-good-answers-with-you",
    "call-the-model-from-your-program",
    "import-a-file-that-has-problems",
    "read-a-comparison",
    "star-answers-in-bulk",
    "use-a-provider-for-the-first-answers",
)
"""The others need more than the fakes, or are about processes that die; `tests/faults` and `tests/real` have those."""
FILES = {
    "key.txt": "sk-of-the-provider\n",
    "messages.csv": 'message,expected\nWhere is it?,delivery\n"a ""quote"", a comma",feedback\ntoo,many,values\n',
    "messages-2.csv": "message,expected\nWhere is it?,delivery\nCharged twice,billing\n",
    "replies.csv": "question,reply\n" + "".join(f"How much is {n}?,It is {n}.\n" for n in range(20)),
}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("tutorial")
    port, engine_port, fake_port = tutorial.free_ports(3)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GOLDSMITH_")}
    settings = {"GOLDSMITH_HOME": str(folder / "home"), "GOLDSMITH_PORT": str(port)}
    settings |= {"GOLDSMITH_ENGINE_PORT": str(engine_port), "FAKE_ENGINE_PORT": str(fake_port)}
    walk = Walk(BIN, folder, port, {**kept, **settings})
    with (
        tutorial.fake_engine(folder, fake_port),
        tutorial.goldsmith_up(BIN, walk.env, port, folder / "up.log"),
    ):
        walk.walk()
        yield walk


def test_the_walk_goes_all_around(walk: Walk) -> None:
    tutorial.check(walk)


def test_nothing_of_the_tutorial_is_left_out_unsaid(walk: Walk) -> None:
    shown = list(tutorial.commands(tutorial.TUTORIAL.read_text(encoding="utf-8")))
    replaced = [one for one in shown if tutorial.NOT_RUN.fullmatch(one) or tutorial.GET_MODEL.fullmatch(one)]
    assert len(walk.done) == len(shown) - len(replaced) + len(("models import", "keys add"))
    assert len(walk.done) > 25


def test_every_job_of_the_walk_succeeded(walk: Walk) -> None:
    jobs = json.loads(walk.run("goldsmith jobs list --json"))
    assert {(job["title"], job["state"]) for job in jobs} == {(job["title"], "succeeded") for job in jobs}
    assert len(jobs) == len(("model", "import", "run", "training", "proof", "comparison"))


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_howto_can_be_followed(walk: Walk, name: str) -> None:
    for file, text in FILES.items():
        (walk.folder / file).write_text(text, encoding="utf-8")
    (walk.folder / "test.csv").write_text(story.rows_path().read_text(encoding="utf-8"), encoding="utf-8")
    walk.known["MODEL"] = "support-triage"
    walk.known.pop("ENGINE", None)  # the one that the page adds is meant
    before = len(walk.done)
    walk.follow(HOWTOS / f"{name}.md")
    assert len(walk.done) - before >= 2
