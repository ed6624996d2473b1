import contextlib
import gc
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from goldsmith.testing import FakeEngine


def ask(engine_url: str, path: str, body: Any = None, key: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(engine_url + path, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        text = answer.read().decode()
    return json.loads(text) if text.startswith(("{", "[")) else text


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "base", "messages": [{"role": "user", "content": text}], **more}


def test_a_chat_is_answered_by_the_callable() -> None:
    with FakeEngine(answer=lambda model, messages, body: f"{model} heard {messages[-1]['content']}") as engine:
        answer = ask(engine.url, "/v1/chat/completions", chat("hi"))
    assert answer["choices"][0]["message"]["content"] == "base heard hi"
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_a_schema_is_answered_with_json_that_fits() -> None:
    schema = {"type": "object", "properties": {"topic": {"enum": ["a", "b"]}, "n": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with FakeEngine() as engine:
        answer = ask(engine.url, "/v1/chat/completions", chat("hi", response_format=form))
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"topic": "a", "n": 1}


def test_a_stream_ends_with_done_and_joins_to_the_answer() -> None:
    with FakeEngine(answer=lambda *_: "one two three") as engine:
        text = ask(engine.url, "/v1/chat/completions", chat("hi", stream=True))
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    assert "".join(json.loads(x)["choices"][0]["delta"].get("content", "") for x in lines[:-1]) == "one two three"


def test_the_key_guards_v1_only() -> None:
    with FakeEngine(key="secret") as engine:
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(engine.url, "/v1/models")
        refused.value.close()
        assert refused.value.code == 401
        assert ask(engine.url, "/v1/models", key="secret")["data"][0]["id"] == "base"
        assert ask(engine.url, "/health") == ""


def test_a_dead_core_answers_health_but_no_token() -> None:
    with FakeEngine() as engine:
        engine.faults.answer_500 = True
        assert ask(engine.url, "/health") == ""
        with pytest.raises(urllib.error.HTTPError) as failed:
            ask(engine.url, "/v1/chat/completions", chat("hi"))
        failed.value.close()
        assert failed.value.code == 500


def test_it_dies_in_the_middle_of_an_answer_when_told_to() -> None:
    with FakeEngine() as engine:
        engine.faults.die_after = 1
        ask(engine.url, "/v1/chat/completions", chat("hi"))
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            ask(engine.url, "/v1/chat/completions", chat("hi"))


def test_the_program_takes_the_place_of_vllm(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"base": {"capital of France": "Paris"}}))
    with FakeEngine() as other:
        free = other.port
    command = [sys.executable, "-m", "goldsmith.testing", "--host", "127.0.0.1", "--port", str(free)]
    command += ["--served-model-name", "bm_1", "--enable-lora", "--key-file", str(key), "--answers", str(answers)]
    with subprocess.Popen(command) as process:
        try:
            answer = _until_it_answers(f"http://127.0.0.1:{free}", "What is the capital of France?")
        finally:
            process.kill()
    assert answer == "Paris"


def _until_it_answers(url: str, question: str) -> str:
    for _ in range(100):
        try:
            body = chat(question) | {"model": "bm_1"}
            answer = ask(url, "/v1/chat/completions", body, key="secret")
            return str(answer["choices"][0]["message"]["content"])
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("it did not answer")


def knock(port: int, is_over: threading.Event) -> None:
    """Connect and leave, again and again."""
    while not is_over.is_set():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()


def test_no_socket_is_lost_when_it_closes_while_others_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    for _ in range(4):
        with FakeEngine() as engine:
            is_over, port = threading.Event(), int(engine.url.rsplit(":", 1)[1])
            callers = [threading.Thread(target=knock, args=(port, is_over)) for _ in range(3)]
            for caller in callers:
                caller.start()
            time.sleep(0.02)
        is_over.set()
        for caller in callers:
            caller.join()
    gc.collect()
    assert lost == []
