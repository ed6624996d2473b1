"""How a model hub is reached: its address, whether it may be asked at all, and the token, which is a secret.

The token lies in the home's folder of secrets or in the environment; it is never an argument, never logged and never
part of a job. `app.py` hands in the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from goldsmith.models.errors import HubAddressNotUsable, HubTokenNotUsable
from goldsmith.storage.files import Home, write_whole

DEFAULT_ENDPOINT = "https://huggingface.co"
TOKEN_COMMAND = "goldsmith models token"  # noqa: S105 - the command that asks for one
_TRUE = frozenset({"1", "ON", "YES", "TRUE"})
"""What the hub's own tools read as yes."""


@dataclass(frozen=True, slots=True)
class HubAccess:
    """Where the hub is and who asks."""

    endpoint: str = DEFAULT_ENDPOINT
    token: SecretStr | None = None
    is_offline: bool = False

    @classmethod
    def of(cls, home: Home, env: Mapping[str, str], *, is_offline: bool) -> "HubAccess":
        """From HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN and the kept token. Raises HubAddressNotUsable."""
        endpoint = env.get("HF_ENDPOINT", "").strip().rstrip("/") or DEFAULT_ENDPOINT
        if not _is_address(endpoint):
            raise HubAddressNotUsable("HF_ENDPOINT is not an address of the form https://hub.example.org.")
        path = token_path(home)
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else env.get("HF_TOKEN", "")
        is_told_so = env.get("HF_HUB_OFFLINE", "").upper() in _TRUE
        return cls(endpoint, usable_token(text), is_offline or is_told_so)


def token_path(home: Home) -> Path:
    """Where the token is kept."""
    return home.secrets / "hub.token"


def usable_token(text: str) -> SecretStr | None:
    """The token without the space around it; None when there is none. Raises HubTokenNotUsable, which never repeats it.

    It goes into a header, where anything but plain characters would end in an error that shows it.
    """
    token = text.strip()
    if not token.isascii() or not all("!" <= character <= "~" for character in token):
        raise HubTokenNotUsable("The token for the model hub has characters that no token has, such as a space.")
    return SecretStr(token) if token else None


def keep_token(home: Home, token: SecretStr | None) -> None:
    """Keep the token, readable by its owner alone; without one, forget it."""
    if token is not None:
        write_whole(token_path(home), token.get_secret_value() + "\n")
    else:
        token_path(home).unlink(missing_ok=True)


def _is_address(text: str) -> bool:
    try:
        address = urlsplit(text)
        is_port = address.port is None or address.port > 0
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname) and is_port and not address.username


def is_readable_by_others(home: Home) -> bool:
    """Whether somebody else on this machine could read the token."""
    path = token_path(home)
    return path.is_file() and bool(path.stat().st_mode & 0o077)
