"""A task in Aristotle's shape, end to end on a CPU: does the tuned model beat its base on rows that it never saw?

    .venv/bin/python -m benchmarks.aristotle_task

Gold stars lie in a synthetic Aristotle (`goldsmith.testing.aristotle_task`); Goldsmith exports them, trains, deploys,
proves and compares, all over HTTP, and its own comparison says which model is better.
"""

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from benchmarks import borrowed
from benchmarks.banking77 import Found, Sample, Walk
from benchmarks.measure import table, write_section
from benchmarks.product import Api, running
from tests import postgresql

from goldsmith.compare.types import VerdictKind
from goldsmith.testing.aristotle import FIRST_AT, SYSTEM, SyntheticAristotle, SyntheticConquest
from goldsmith.testing.aristotle_task import screening

WHO, DOMAIN = "ada@acme.example", "acme.example"
NUM_STARS = 80
RECIPE = {"num_epochs": 3, "lora_rank": 8, "lora_alpha": 16, "learning_rate": 1e-3, "batch_size": 4, "seed": 0}
MAX_TOKENS = 64


class Screening(Walk):
    """From the stars in Aristotle's tables to the verdict."""

    model_name: ClassVar[str] = "screening"
    max_tokens: ClassVar[int] = MAX_TOKENS

    def __init__(self, api: Api, recipe: dict[str, Any]) -> None:
        super().__init__(api, Sample((), [], []), recipe)

    def walk(self, base_folder: Path) -> Found:
        """Import the base, export, train, deploy and prove, compare."""
        self._timed("base model", lambda: self._import_base(base_folder))
        set_id = self._timed("export", self._export)
        model_id = self._timed("training", lambda: self._train(set_id))
        self._timed("deploy and prove", lambda: self._deploy(model_id))
        self._timed("comparison", lambda: self._compare(model_id))
        return self.found

    def _export(self) -> str:
        made = self._api.post(
            "/v1/fine-tuning/datasets/export", {"philosopher": WHO, "domain": DOMAIN, "source": "aristotle"}
        )
        self.found.num_learn, self.found.num_exam = made["num_learn"], made["num_exam"]
        return str(made["id"])


def fill(url: str, num_stars: int = NUM_STARS) -> None:
    """Stars of one philosopher, in all three shapes of `data`."""
    synthetic = SyntheticAristotle(url, "V2")
    synthetic.make_tables()
    for number in range(num_stars):
        prompt, answer = screening(number)
        asked, at = {**prompt, "system": SYSTEM}, FIRST_AT + timedelta(minutes=number)
        synthetic.add(number, SyntheticConquest(WHO, DOMAIN, asked, answer, rated_at=at))


def main() -> None:
    """Walk, write the section, and fail when the comparison does not call the tuned model better."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    base = borrowed.base_folder()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name, postgresql.running() as server:
        postgresql.run_sql(server.url, "CREATE DATABASE aristotle_task")
        settings = {"ARISTOTLE_DATABASE_URL": f"{server.url}/aristotle_task"}
        fill(settings["ARISTOTLE_DATABASE_URL"])
        with running(Path(name) / "home", borrowed.LENDER, import_root=base, settings=settings) as api:
            found = Screening(api, RECIPE).walk(base)
    write(found)
    if found.kind != VerdictKind.better:
        raise SystemExit(f"The comparison does not call the tuned model better: {found.sentence}")


def write(found: Found) -> None:
    """The section of RESULTS.md."""
    names = {
        "base": "base model",
        "examples": "base model with stars as examples in its prompt",
        "tuned": "tuned model",
    }
    right = [[words, f"{found.num_right[arm]} of {found.num_exam}"] for arm, words in names.items()]
    how = (
        f"{found.num_learn + found.num_exam} gold stars of a made-up Aristotle, in the three shapes of its data; "
        f"{found.num_learn} learned in three epochs (rank 8, alpha 16, 1e-3, 4 rows at once), {found.num_exam} as the "
        "exam, SmolLM2-135M, all of it on the CPU and over the HTTP API. What is right follows from the candidate's "
        "role by two rules; right is every field of the evaluation, or the whole line. Goal: Goldsmith's comparison "
        f"calls the tuned model better: {'reached' if found.kind == VerdictKind.better else 'not reached'}."
    )
    write_section(
        "A task in Aristotle's shape",
        how,
        table(["", "exam rows right"], right),
        f"Verdict: {found.sentence}",
        f"Evidence: {found.evidence}",
        table(["step", "seconds"], [[name, f"{seconds:.0f}"] for name, seconds in found.seconds.items()]),
        command=".venv/bin/python -m benchmarks.aristotle_task",
    )


if __name__ == "__main__":
    main()
