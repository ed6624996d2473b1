"""A Goldsmith as a person starts it, `goldsmith up` in an empty home, with stand-ins for the two heavy programs.

Everything is the product but the Pythons of the environments: they pretend to be a trainer and an engine, so that the
loop takes a minute and needs no model. The base model is four numbers with a real tokenizer.
"""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from goldsmith.demo import story
from goldsmith.environments import folders
from goldsmith.environments.folders import Manifest
from goldsmith.environments.types import EnvironmentName
from goldsmith.testing import write_small_model

HERE = Path(__file__).parent
NUM_ROWS = 40
START_WITHIN_S = 60
STOP_WITHIN_S = 30
OWN_TEXTS = {
    0: "配送が二日も遅れています。荷物は今どこですか？ 追跡番号を入れても何も出ません。",
    1: "The invoice is wrong. " + "I have written to you about this before and nobody has answered. " * 16,
}
"""What stands in some rows in place of the sample's text: another script, and a thousand characters."""


@dataclass(frozen=True)
class Place:
    """What a person has: an address, a file with rows, a folder with a model; and what the rows should be answered."""

    address: str
    rows: Path
    model: Path
    expected: dict[str, str]
    home: Path


@contextmanager
def opened(folder: Path, num_rows: int = NUM_ROWS, **more_env: str) -> Iterator[Place]:
    """Start it, with more settings where some are given; stop it as with Ctrl-C, and see that it ends."""
    expected = write_rows(folder / "support messages.csv", num_rows)
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"tuned": expected}), encoding="utf-8")
    for name in EnvironmentName:
        write_environment(folder / "home", name, answers)
    port, engine_port = free_ports(2)
    env = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "GOLDSMITH_HOME": str(folder / "home"),
        "GOLDSMITH_PORT": str(port),
        "GOLDSMITH_ENGINE_PORT": str(engine_port),
        "GOLDSMITH_HUB_OFFLINE": "true",
        **more_env,
    }
    with running(env, folder / "up.log"):
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, folder)
        yield Place(
            address, folder / "support messages.csv", write_small_model(folder / "model"), expected, folder / "home"
        )


def write_rows(path: Path, num_rows: int) -> dict[str, str]:
    """A person's own file, with other heads than the sample's and a column of no use; returns text → right answer."""
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        sample = list(csv.DictReader(file))[:num_rows]
    rows = [
        {
            "ticket": f"T-{place:03}",
            "Message text": OWN_TEXTS.get(place, row["message"]),
            "right answer": row["expected"],
        }
        for place, row in enumerate(sample)
    ]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return {row["Message text"].strip(): row["right answer"] for row in rows}


def write_environment(home: Path, name: EnvironmentName, answers: Path) -> None:
    """An environment whose Python pretends."""
    path = folders.path_of(name, home=home)
    (path / "bin").mkdir(parents=True)
    program = f"{HERE / 'pretend_trainer.py'}" if name is EnvironmentName.TRL else f"{HERE / 'pretend_engine.py'}"
    words = [sys.executable, program, *([] if name is EnvironmentName.TRL else [str(answers)])]
    script = path / "bin" / "python"
    script.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
    script.chmod(0o700)
    manifest = Manifest(name.value, "pretended", "", "pretended", "3.11", "2026-01-01T00:00:00+00:00", 1.0, 1000, {})
    folders.write_manifest(path, manifest)


@contextmanager
def running(env: dict[str, str], log: Path) -> Iterator[None]:
    """`goldsmith up` for as long as the block lasts."""
    with log.open("wb") as file:
        argv = [sys.executable, "-m", "goldsmith", "up"]
        process = subprocess.Popen(argv, env=env, stdout=file, stderr=file, start_new_session=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"Goldsmith did not end within {STOP_WITHIN_S} s")


def wait_until_ready(address: str, folder: Path) -> None:
    """Return once the pages answer."""
    end = time.monotonic() + START_WITHIN_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    pytest.fail(f"it did not answer within {START_WITHIN_S} s: {(folder / 'up.log').read_text()[-2000:]}")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [int(door.getsockname()[1]) for door in doors]
