"""The token is a secret, and offline means that nobody is asked."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from goldsmith.models import hub_access
from goldsmith.models.errors import HubAddressNotUsable, HubTokenNotUsable
from goldsmith.models.hub_access import DEFAULT_ENDPOINT, HubAccess
from goldsmith.storage.files import Home


def test_without_anything_set_it_is_the_public_hub_without_a_token(home: Home) -> None:
    assert HubAccess.of(home, {}, is_offline=False) == HubAccess(DEFAULT_ENDPOINT, None, is_offline=False)


def test_a_kept_token_counts_before_that_of_the_environment(home: Home) -> None:
    env = {"HF_TOKEN": " hf_env\n"}
    assert HubAccess.of(home, env, is_offline=False).token == SecretStr("hf_env")
    hub_access.keep_token(home, SecretStr("hf_kept"))
    found = HubAccess.of(home, env, is_offline=False)
    assert found.token == SecretStr("hf_kept")
    assert "hf_" not in repr(found)
    path = hub_access.token_path(home)
    assert path.parent == home.secrets
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert not hub_access.is_readable_by_others(home)
    hub_access.keep_token(home, None)
    assert not path.exists()
    assert HubAccess.of(home, {}, is_offline=False).token is None


@pytest.mark.parametrize(
    ("env", "is_set", "is_offline"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"HF_HUB_OFFLINE": "1"}, False, True),
        ({"HF_HUB_OFFLINE": "yes"}, False, True),
        ({"HF_HUB_OFFLINE": "0"}, False, False),
        ({"HF_HUB_OFFLINE": ""}, False, False),
    ],
)
def test_offline_is_one_setting_or_the_hubs_own(
    tmp_path: Path, env: dict[str, str], is_set: bool, is_offline: bool
) -> None:
    assert HubAccess.of(Home(tmp_path), env, is_offline=is_set).is_offline is is_offline


@pytest.mark.parametrize(
    "address",
    ["nowhere", "file:///etc", "https://", "https://me:secret@hub.example.org", "http://hub:99999", "http://["],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(home: Home, address: str) -> None:
    with pytest.raises(HubAddressNotUsable) as caught:
        HubAccess.of(home, {"HF_ENDPOINT": address}, is_offline=False)
    assert "secret" not in caught.value.message


def test_a_slash_at_the_end_of_an_address_does_not_matter(home: Home) -> None:
    env = {"HF_ENDPOINT": "https://hub.example.org/"}
    assert HubAccess.of(home, env, is_offline=False).endpoint == "https://hub.example.org"


@pytest.mark.parametrize("text", ["hf_a b", "hf_a\nX: y", "hf_\x00", "hf_ü", "hf_\x7f"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_being_repeated(home: Home, text: str) -> None:
    with pytest.raises(HubTokenNotUsable) as caught:
        HubAccess.of(home, {"HF_TOKEN": text}, is_offline=False)
    assert "hf_" not in caught.value.message + caught.value.hint
