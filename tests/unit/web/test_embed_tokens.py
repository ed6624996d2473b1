"""A token says what it was made of, to whom signed it and to nobody who changed it."""

import base64
import json
from datetime import timedelta

import pytest

from goldsmith.connect.embedding.types import Grant, Permission
from goldsmith.connect.types import Scope
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.web.embed_tokens import TOKEN_START, TokenMint


def grant(seconds: int = 60) -> Grant:
    return Grant(
        key_id="key_1",
        person=Person("per_1", "花子@acme.example", "local"),
        scope=Scope("花子@acme.example", "acme.example"),
        may=frozenset({Permission.train, Permission.export}),
        expires_at=clock.now() + timedelta(seconds=seconds),
    )


def test_a_token_says_what_it_was_made_of(home: Home) -> None:
    mint, given = TokenMint(home), grant()
    token = mint.make(given)
    assert token.startswith(TOKEN_START)
    assert mint.read(token) == given
    assert TokenMint(home).read(token) == given  # another process of the same home


def test_a_token_of_another_home_is_nobody_s(home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Home(tmp_path_factory.mktemp("other")).prepare()
    assert TokenMint(other).read(TokenMint(home).make(grant())) is None


def test_a_token_is_over_when_its_time_is(home: Home) -> None:
    mint = TokenMint(home)
    assert mint.read(mint.make(grant(seconds=0))) is None


def test_whoever_changes_what_it_says_has_no_token(home: Home) -> None:
    mint = TokenMint(home)
    text, _, signature = mint.make(grant()).removeprefix(TOKEN_START).partition(".")
    said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    said["domain"] = "evil.example"
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    for bad in (f"{forged}.{signature}", f"{forged}.", forged, f"{text}.{signature[:-1]}", "", ".", "gse_gse_x.y", "é"):
        assert mint.read(TOKEN_START + bad) is None, bad


def test_a_cookie_s_signature_is_no_token_s(home: Home) -> None:
    """Both are signed here, each with a secret of its own."""
    TokenMint(home)
    assert (home.secrets / "embed.key").read_text() != "".join(
        path.read_text() for path in home.secrets.glob("cookie*")
    )
