"""How near a rehearsal comes: three trainings, each rehearsed before it is done; time and memory foretold and taken.

Over the HTTP API of a `goldsmith up` of its own, with the real trainer on this machine and no engine running.

    .venv/bin/python -m benchmarks.rehearsal [--rows N]
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import borrowed
from benchmarks.measure import table, write_section
from benchmarks.product import Api, running, say

from goldsmith.demo import story
from goldsmith.models.types import SMOLLM2

NUM_ROWS = 120
TRAININGS: Mapping[str, Mapping[str, Any]] = {
    "as it comes": {"num_epochs": 2},
    "two rows at once": {"num_epochs": 1, "batch_size": 2, "save_every_steps": 20},
    "rank 32, batches of 4 in twos": {"num_epochs": 1, "batch_size": 4, "gradient_accumulation": 2, "lora_rank": 32},
}
WITHIN_TIME, WITHIN_MEMORY = 0.25, 0.15


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=NUM_ROWS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name:
        base = borrowed.base_folder()
        with running(Path(name) / "home", borrowed.LENDER, import_root=base) as api:
            lines = list(_lines(api, _training_set(api, base, options.rows)))
    heads = ["", "time foretold", "taken", "taken / foretold", "memory foretold", "taken", "taken / foretold"]
    write_section(
        "A rehearsal beside its training",
        f"SmolLM2-135M, TRL, {options.rows} support messages of which a quarter is the exam. Six steps are rehearsed, "
        f"on the longest rows and on usual ones. Goal: time within {100 * WITHIN_TIME:.0f} %, memory at most within "
        f"{100 * WITHIN_MEMORY:.0f} %.",
        table(heads, lines),
        command=f".venv/bin/python -m benchmarks.rehearsal --rows {options.rows}",
    )


def _training_set(api: Api, base: Path, num_rows: int) -> str:
    """Messages whose good answers came with them, as a training set."""
    api.wait_for_job(api.post("/v1/base-models", {"path": str(base), "name": SMOLLM2.name})["job_id"])
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(num_rows), csv.DictReader(file), strict=False)]
    made = api.post("/v1/datasets", {"name": "messages", "rows": rows, "answer_column": "expected"})
    api.wait_for_job(made["job_id"])
    api.wait_for_job(made["stars_job_id"])
    return str(api.post("/v1/fine-tuning/datasets/export", {"exam_share": 0.25})["id"])


def _lines(api: Api, training_set: str) -> Iterator[list[str]]:
    for name, settings in TRAININGS.items():
        asked = {"base_model": SMOLLM2.name, "training_set": training_set, **settings}
        say(f"{name}: rehearsing …")
        rehearsed = api.post("/v1/fine-tuning/rehearsals", asked)["id"]
        api.wait_for_job(rehearsed)
        foretold = api.get(f"/v1/fine-tuning/rehearsals/{rehearsed}")["forecast"]
        say(f"{name}: training …")
        training = api.post("/v1/fine-tuning/jobs", asked)["id"]
        job = api.wait_for_job(training)
        began, ended = (datetime.fromisoformat(job[moment]) for moment in ("started_at", "finished_at"))
        taken_s, taken_mb = (
            (ended - began).total_seconds(),
            float(api.get(f"/v1/fine-tuning/jobs/{training}")["memory_mb"]),
        )
        yield [
            name,
            f"{foretold['duration_s']:.0f} s",
            f"{taken_s:.0f} s",
            f"{taken_s / foretold['duration_s']:.2f}",
            f"{foretold['peak_memory_mb']:,.0f} MB",
            f"{taken_mb:,.0f} MB",
            f"{taken_mb / foretold['peak_memory_mb']:.2f}",
        ]


if __name__ == "__main__":
    main()
