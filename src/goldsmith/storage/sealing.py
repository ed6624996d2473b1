"""Passwords of other programs, sealed: encrypted with a key of this machine, in a file that its owner alone can read.

The one place where a secret that has to be sent on is written and read. What only has to be compared is kept as a hash
instead (`people/service.py`). The key makes itself; where `GOLDSMITH_SEALING_KEY` names a file on another disk, a copy
of the home folder opens nothing. Losing the key means entering the secrets again.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING

import orjson

from goldsmith.storage.errors import SecretNotReadable
from goldsmith.storage.files import Home, is_safe_name, sync_folder, write_whole

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def keep(home: Home, name: str, secrets: Mapping[str, str]) -> None:
    """Seal secrets under a name in place of those that were there; none: forget them. Raises SecretNotReadable."""
    if not secrets:
        forget(home, name)
        return
    write_whole(path_of(home, name), _lock(home).encrypt(orjson.dumps(dict(secrets))) + b"\n")


def read(home: Home, name: str) -> dict[str, str]:
    """The secrets under a name; empty where there are none. Raises SecretNotReadable."""
    from cryptography.fernet import InvalidToken

    path = path_of(home, name)
    if not path.is_file():
        return {}
    try:
        opened = _lock(home).decrypt(path.read_bytes().strip())
    except InvalidToken:
        raise SecretNotReadable(f"The secrets in {path.name} were sealed with another key.") from None
    return {str(key): str(value) for key, value in orjson.loads(opened).items()}


def forget(home: Home, name: str) -> None:
    """Delete the secrets under a name."""
    path_of(home, name).unlink(missing_ok=True)


def path_of(home: Home, name: str) -> Path:
    """Where the secrets of that name lie."""
    plain = name.lower().replace("_", "-")
    if not is_safe_name(plain):
        raise ValueError(f"{name!r} cannot name secrets")
    return home.secrets / f"{plain}.sealed"


def _lock(home: Home) -> "MultiFernet":
    """The first line of the key's file seals; every line opens, so a new key can be put before an old one."""
    from cryptography.fernet import Fernet, MultiFernet

    if not home.sealing_key.is_file():
        _make_key(home.sealing_key, Fernet.generate_key())
    try:
        keys = [Fernet(line) for line in home.sealing_key.read_bytes().split()]
        return MultiFernet(keys)
    except (OSError, ValueError) as error:
        raise SecretNotReadable(f"The key in {home.sealing_key} cannot be used: {error}.") from None


def _make_key(path: Path, key: bytes) -> None:
    """Of two that make it at once, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    try:
        write_whole(temporary, key + b"\n")
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
