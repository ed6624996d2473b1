"""A support bundle holds what helps, and neither secrets nor what somebody wrote."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from goldsmith.jobs import bundle
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.storage import clock


def job() -> Job:
    return Job(
        id="job_1", kind="training", title="Train Ada's secret project", state="failed", stage="train", attempt=2,
        num_deaths=1, progress=0.5, because="its program ended, see /home/ada/x", message="",
        params={"backend": "trl", "options": {"lora_rank": 8, "note": "for our biggest customer"}, "name": "ada-1"},
        result=None, failure={"kind": "crashed", "summary": "401 for Bearer abc.def-123", "log_tail": ""},
    )  # fmt: skip


def events() -> list[JobEvent]:
    said = {"step": 0, "answers": [{"text": "what a model wrote"}]}
    asked = ("queued", {"because": "asked for again by ada l."}), ("starting", {"machine": "adas-laptop"})
    kinds = (("log", {"text": "mail to ada@example.com"}), ("sampled", said), ("step", {"loss": 0.5}))
    return [
        JobEvent(job_id="job_1", attempt=2, source="train", seq=number, kind=kind, data=data, at=clock.now())
        for number, (kind, data) in enumerate(kinds)
    ] + [
        JobEvent(job_id="job_1", attempt=2, source="queue", seq=number, kind=kind, data=data, at=clock.now())
        for number, (kind, data) in enumerate(asked)
    ]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    folder = JobFolder(tmp_path / "job_1")
    folder.log(2).parent.mkdir(parents=True)
    folder.log(2).write_text("Loading /home/ada/models\nHF_TOKEN=hf_abcdefghijk\nout of memory\n")
    order = {"program": "goldsmith.trainers.trl_sft", "base_model_folder": "/home/ada/m", "model_name": "ada-1"}
    folder.order.write_text(json.dumps({**order, "settings": {"batch_size": 8}}))
    made = bundle.make(job(), events(), folder, {"goldsmith": "1.0", "note": "https://ada:pw@example.com"})
    with zipfile.ZipFile(io.BytesIO(made)) as zipped:
        return {name: zipped.read(name).decode() for name in zipped.namelist()}


def test_it_holds_what_helps(files: dict[str, str]) -> None:
    assert files.keys() == {"README.txt", "about.json", "job.json", "order.json", "events.jsonl", "log.txt"}
    found = json.loads(files["job.json"])
    assert (found["kind"], found["state"], found["attempt"], found["failure"]["kind"]) == (
        *("training", "failed", 2),
        "crashed",
    )
    assert found["params"]["options"] == {"lora_rank": 8, "note": None}
    assert json.loads(files["order.json"])["settings"] == {"batch_size": 8}
    assert "out of memory" in files["log.txt"]
    assert '"loss": 0.5' in files["events.jsonl"]
    assert "asked for again by ***" in files["events.jsonl"]


def test_it_holds_no_secret_no_name_and_nothing_that_somebody_wrote(files: dict[str, str]) -> None:
    told = "".join(files.values())
    for word in ("ada", "customer", "hf_abc", "abc.def", ":pw@", "what a model wrote", "secret project"):
        assert word not in told, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer gsk_abcdefgh", "Authorization: Bearer ***"),
        ("key sk-proj-12345678 was refused", "key *** was refused"),
        ("postgresql://ada:pw@127.0.0.1/db", "postgresql://***@127.0.0.1/db"),
        ('{"api_key": "abcdefgh"}', '{"api_key": "***"}'),
        ("PASSWORD=hunter22 rest", "PASSWORD=*** rest"),
        ("/home/ada/goldsmith/x.py", "/home/***/goldsmith/x.py"),
        ("ada.l@mail.example.org wrote", "***@*** wrote"),
        ("The machine adas-laptop stopped reporting.", "The machine *** stopped reporting."),
        ("claimed by adas-laptop.local", "claimed by ***"),
        ("it was ended by signal 9 on the machine", "it was ended by signal 9 on the machine"),
        ("loss 0.5 at step 3, 12 tokens: fine", "loss 0.5 at step 3, 12 tokens: fine"),
    ],
)
def test_a_text_is_cleaned(text: str, expected: str) -> None:
    assert bundle.clean(text) == expected


def test_a_job_that_printed_nothing_says_so(tmp_path: Path) -> None:
    made = bundle.make(job(), [], JobFolder(tmp_path), {})
    with zipfile.ZipFile(io.BytesIO(made)) as zipped:
        assert "printed" in zipped.read("log.txt").decode()
        assert "order.json" not in zipped.namelist()
