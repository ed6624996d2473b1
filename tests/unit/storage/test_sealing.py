"""A sealed secret opens with this machine's key alone, and lies nowhere as it is."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from goldsmith.storage import sealing
from goldsmith.storage.errors import SecretNotReadable
from goldsmith.storage.files import Home

SECRETS = {"password": "s3cret-wörd", "token": "another"}


def test_secrets_come_back_and_lie_nowhere_as_they_are(home: Home) -> None:
    sealing.keep(home, "con_1", SECRETS)
    assert sealing.read(home, "con_1") == SECRETS
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"con-1.sealed", "sealing.key"}
    for path in files:
        assert b"s3cret" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_kept_anew_takes_the_place_of_what_was_there(home: Home) -> None:
    sealing.keep(home, "con_1", SECRETS)
    sealing.keep(home, "con_1", {"password": "new"})
    assert sealing.read(home, "con_1") == {"password": "new"}
    sealing.keep(home, "con_1", {})
    assert sealing.read(home, "con_1") == {}
    assert not sealing.path_of(home, "con_1").exists()


def test_a_key_on_another_disk_leaves_nothing_that_opens(home: Home, tmp_path: Path) -> None:
    key = tmp_path / "elsewhere" / "key"
    there = dataclasses.replace(home, sealing_key_file=key)
    sealing.keep(there, "con_1", SECRETS)
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SecretNotReadable, match="another key"):
        sealing.read(home, "con_1")  # with the key that is among the secrets
    assert sealing.read(there, "con_1") == SECRETS


def test_a_new_key_before_the_old_one_opens_what_was_sealed(home: Home) -> None:
    sealing.keep(home, "con_1", SECRETS)
    old = home.sealing_key.read_bytes()
    home.sealing_key.write_bytes(Fernet.generate_key() + b"\n" + old)
    assert sealing.read(home, "con_1") == SECRETS


def test_a_key_that_is_none_is_said_without_the_secret(home: Home) -> None:
    sealing.keep(home, "con_1", SECRETS)
    home.sealing_key.write_text("no key")
    with pytest.raises(SecretNotReadable, match="cannot be used") as told:
        sealing.read(home, "con_1")
    assert "no key" not in told.value.message


def test_a_name_never_leads_out_of_the_folder(home: Home) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        sealing.path_of(home, "../../etc/passwd")
