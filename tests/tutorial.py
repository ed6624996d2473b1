"""Walks through `docs/tutorial.md`: its commands in their order, as they stand there, against a Goldsmith that runs.

What would take minutes or gigabytes is replaced, and nothing else: the base model by one of four numbers, the engine by
the fake one, the trainer by the fake backend. Called by `acceptance/test_the_tutorial.py`, and as a program by
`wheel.sh`, with the Python and the package of the wheel: so it imports nothing of the checkout.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldsmith.demo import story
from goldsmith.testing import write_small_model

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"make setup|source \S+|goldsmith up|goldsmith env install \S+")
"""What whoever walks has seen to already, or what takes minutes and is tested with the real ones."""
MAY_FAIL = "goldsmith doctor"
"""On a machine where something is missing, that is what it is for."""
GET_MODEL = re.compile(r"goldsmith models get (\S+)")
PROVIDER = "https://api.example.com"
PROVIDERS_MODEL = "large-1"
"""Whose place the fake engine takes."""
SERVED = "small"
"""What the fake engine calls its model."""
SAMPLE = "src/goldsmith/demo/support_messages.csv"
IDS = {
    "ENGINE": r"\beng_\w+",
    "RUN": r"\brun_\w+",
    "ANSWER": r"\bans_\w+",
    "KEY": r"\bgsk_[\w-]+",
    "KEY_ID": r"\bkey_\w+",
}
"""How the words in capitals look once a command has printed them."""
COMMAND_TIMEOUT_S = 120.0
CURL = """\
import sys, urllib.request
words = sys.argv[1:]
given = [(option, value) for option, value in zip(words, words[1:]) if option in ("-H", "-d")]
headers = dict(value.split(": ", 1) for option, value in given if option == "-H")
body = next((value.encode() for option, value in given if option == "-d"), None)
print(urllib.request.urlopen(urllib.request.Request(words[0], body, headers)).read().decode())
"""
"""What of curl the tutorial uses, for machines that have none."""


@dataclass(frozen=True)
class Done:
    """One command of the tutorial, as it was run, and what it printed."""

    command: str
    output: str


@dataclass
class Walk:
    """One walk. `bin_folder` holds the `goldsmith` to be called, `env` says which home it is that runs."""

    bin_folder: Path
    folder: Path
    port: int
    env: Mapping[str, str]
    known: dict[str, str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """Where the fake engine answers."""
        return f"http://127.0.0.1:{self.env['FAKE_ENGINE_PORT']}"

    def walk(self) -> list[Done]:
        """Every command of the tutorial."""
        if shutil.which("curl") is None:
            self._provide_curl()
        self.follow(TUTORIAL)
        return self.done

    def follow(self, page: Path) -> None:
        """Every command of a page; the first that fails is an error that shows what it printed."""
        sample = shlex.quote(str(story.rows_path()))
        for command in commands(page.read_text(encoding="utf-8")):
            if NOT_RUN.fullmatch(command):
                continue
            if found := GET_MODEL.fullmatch(command):
                self._provide_model(found[1])
                continue
            trains = command.startswith("goldsmith train start") and "--dry-run" not in command
            here = command.replace(SAMPLE, sample).replace(":8001", f":{self.port}")
            here = here.replace(PROVIDER, self.engine).replace(PROVIDERS_MODEL, SERVED)
            self.run(f"{here} --backend fake" if trains else here)

    def said(self, start: str) -> str:
        """What the last command that begins so has printed."""
        return next(done.output for done in reversed(self.done) if done.command.startswith(start))

    def run(self, command: str) -> str:
        """One command; the words in capitals are replaced by what earlier ones printed. Returns what it printed."""
        for word, value in self.known.items():
            command = re.sub(rf"\b{word}\b", value, command)
        result = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env={**self.env, "PATH": f"{self.bin_folder}:{self.env['PATH']}", "COLUMNS": "1000"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        if result.returncode != 0 and command != MAY_FAIL:
            raise AssertionError(f"$ {command}\n{result.stdout}{result.stderr}(exit code {result.returncode})")
        self.done.append(Done(command, result.stdout))
        for word, pattern in IDS.items():
            if word not in self.known and (found := re.search(pattern, result.stdout)):
                self.known[word] = found[0]
        return result.stdout

    def _provide_model(self, name: str) -> None:
        """The small model under the name of the real one, and the fake engine that says that it serves it."""
        self.run(f"goldsmith models import {shlex.quote(str(self.folder / 'small'))} --name {name}")
        key = json.loads(self.run('goldsmith --json keys add "the walk"'))["key"]
        del self.known["KEY"]
        engine = {"kind": "attached", "url": self.engine, "base_model": name}
        post(f"http://127.0.0.1:{self.port}/v1/engines", key, engine)

    def _provide_curl(self) -> None:
        place = self.folder / "bin"
        place.mkdir()
        (place / "curl").write_text(f"#!{sys.executable}\n{CURL}", encoding="utf-8")
        (place / "curl").chmod(0o755)
        self.env = {**self.env, "PATH": f"{place}:{self.env['PATH']}"}


def commands(text: str) -> Iterator[str]:
    """The commands of all blocks of shell; a block with a text in it (`<<`) is one."""
    for block in BLOCK.findall(text):
        if "<<" in block:
            yield block
            continue
        for line in block.replace("\\\n", " ").splitlines():
            command = line.partition("  #")[0].strip()
            if command:
                yield command


def post(url: str, key: str, body: Mapping[str, Any]) -> None:
    """Send JSON to Goldsmith; anything but success is an error."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        answer.read()


@contextmanager
def fake_engine(folder: Path, port: int) -> Iterator[None]:
    """The fake engine as a process, with the small model; the tuned model knows every answer of the sample."""
    model = write_small_model(folder / "small", text=story.SYSTEM_TEXT)
    (folder / "answers.json").write_text(json.dumps({"tuned": story.expected()}), encoding="utf-8")
    argv = [sys.executable, "-m", "goldsmith.testing", "--port", str(port), "--served-model-name", SERVED]
    argv += ["--model-folder", str(model), "--answers", str(folder / "answers.json")]
    process = subprocess.Popen(argv, cwd=folder, env={"PATH": "/usr/bin:/bin"})
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def goldsmith_up(bin_folder: Path, env: Mapping[str, str], port: int, log: Path) -> Iterator[None]:
    """`goldsmith up` as a process, from the moment when it answers."""
    with log.open("wb") as file:
        process = subprocess.Popen([bin_folder / "goldsmith", "up"], env=dict(env), stdout=file, stderr=file)
    try:
        wait_for(port)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def wait_for(port: int, within_s: float = 30.0) -> None:
    """Until somebody listens."""
    end = time.monotonic() + within_s
    while True:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > end:
            raise TimeoutError(f"nobody listens on port {port}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now."""
    doors = [socket.socket() for _ in range(count)]
    try:
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]
    finally:
        for door in doors:
            door.close()


def check(walk: Walk) -> None:
    """Whether the walk went all around: proved, compared, better, and everything succeeded."""
    verdict = walk.said("goldsmith compare list")
    if "40 of 40" not in verdict:
        raise AssertionError(f"the verdict does not say that all 40 exam rows are right:\n{verdict}")
    for start, words in (("goldsmith models receipt", "Proved on"), ("curl", '"choices"')):
        if words not in walk.said(start):
            raise AssertionError(f"{start} said: {walk.said(start)}")
    if not (walk.folder / "goldsmith.tar").stat().st_size:
        raise AssertionError("the backup is empty")


def main() -> None:
    """Walk against a `goldsmith up` that runs already, with this Python's own package; its home is in the settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty folder to work in")
    folder: Path = parser.parse_args().folder
    began = time.monotonic()
    (engine_port,) = free_ports(1)
    env = {**os.environ, "FAKE_ENGINE_PORT": str(engine_port)}
    walk = Walk(Path(sys.executable).parent, folder, int(env["GOLDSMITH_PORT"]), env)
    with fake_engine(folder, engine_port):
        wait_for(engine_port)
        walk.walk()
    check(walk)
    verdict = walk.said("goldsmith compare list").strip().partition("Better")[2]
    print(f"   {len(walk.done)} commands of the tutorial in {time.monotonic() - began:.0f} s. Better{verdict}")


if __name__ == "__main__":
    main()
