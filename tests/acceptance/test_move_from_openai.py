"""The how-to, step by step: another Goldsmith stands in for OpenAI, and the program of the last step asks here."""

import json
import re
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.web.gateway_site import Running, gateway_wait_s, running, serving

from goldsmith import app
from goldsmith.connect.openai import planning
from goldsmith.connect.openai.fetching import Account, fetch
from goldsmith.connect.openai.types import PartKind
from goldsmith.data.types import Upload
from goldsmith.people import service as people
from goldsmith.settings import Settings

__all__ = ["gateway_wait_s", "running"]
pytestmark = [pytest.mark.enable_socket]
HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "move-here-from-openai.md"


def chats(*words: str) -> bytes:
    turns = ([{"role": "user", "content": word}, {"role": "assistant", "content": word.upper()}] for word in words)
    return b"".join(json.dumps({"messages": each}).encode() + b"\n" for each in turns)


def test_what_another_goldsmith_holds_is_fetched_and_finds_its_place(tmp_path: Path) -> None:
    parts = app.assemble(Settings(home=tmp_path / "there", database_url=None))
    app.prepare_database(parts)
    with parts.database.transaction() as session:
        _, key = people.add_key(session, "tests", by=people.known_by_name(session, "Ada"))
    with serving(app.make_asgi(parts)) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=key)
        for name, words in (("cards_train.jsonl", ("a", "b")), ("cards_valid.jsonl", ("c",))):
            client.files.create(file=(name, chats(*words)), purpose="fine-tune")
        with Account(f"{url}/v1", key) as account:
            said = list(fetch(account, tmp_path / "export"))
    parts.database.dispose()
    assert "evals: the service keeps none" in said
    uploads = {Upload(path.name, path.name, 1): path for path in (tmp_path / "export").iterdir()}
    (part,) = planning.plan(list(uploads), uploads.__getitem__).parts
    assert (part.kind, part.name, set(part.files)) == (PartKind.LESSON, "cards_train", {"learn", "exam"})


def test_a_program_goes_on_with_another_address_and_key(
    running: Running,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.DOTALL)
    for written, here in (("http://127.0.0.1:8001", running.url), ("gsk_…", running.key)):
        assert written in program
        program = program.replace(written, here)
    names: dict[str, Any] = {}
    exec(compile(program, str(HOWTO), "exec"), names)  # noqa: S102 - our own document's program
    assert "says hello" in capsys.readouterr().out
    names["client"].close()
