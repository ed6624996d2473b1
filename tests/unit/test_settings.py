"""Settings are read from the environment, and handed on whole."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from goldsmith.settings import AristotleSettings, Settings

OTHERWISE: dict[str, Any] = {
    "home": Path("/tmp/somewhere else"),
    "database_url": "postgresql+psycopg://ada:p%40ss@localhost/goldsmith",
    "port": 9001,
    "engine_port": 9000,
    "allowed_hosts": ("gold.example", "smith.example"),
    "webhook_hosts": ("ci.internal", "localhost"),
    "embed_origins": ("https://app.example", "http://localhost:4000"),
    "torch_index_url": "http://127.0.0.1:1/simple",
    "hub_offline": True,
    "import_roots": (Path("/srv/models"), Path("/mnt/more models")),
    "log_level": "debug",
    "gateway_wait_s": 5,
    "traffic_days": 3,
    "sealing_key": Path("/mnt/key"),
    "machine_usd_per_hour": 2.5,
    "machine_watts": 400.0,
    "fine_tuning_backend": "unsloth",
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GOLDSMITH_{name.upper()}", raising=False)


def test_another_process_reads_every_setting_as_it_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OTHERWISE.keys() == Settings.model_fields.keys(), "a new setting needs another value than its default here"
    here = Settings(**OTHERWISE)
    defaults = Settings()
    assert [name for name in OTHERWISE if getattr(here, name) == getattr(defaults, name)] == []
    for name, value in here.to_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == here


def test_what_is_not_set_stays_so_and_places_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    given = Settings().to_environment()
    assert given["GOLDSMITH_HOME"] == "/home/ada/.goldsmith"
    assert given["GOLDSMITH_DATABASE_URL"] == "sqlite:////home/ada/.goldsmith/goldsmith.db"
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    again = Settings()
    assert (again.allowed_hosts, again.import_roots, again.hub_offline) == ((), (), False)


def test_lists_are_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDSMITH_ALLOWED_HOSTS", "a.example, b.example,")
    monkeypatch.setenv("GOLDSMITH_IMPORT_ROOTS", "/srv/models:/mnt")
    assert Settings().allowed_hosts == ("a.example", "b.example")
    assert Settings().import_roots == (Path("/srv/models"), Path("/mnt"))


def test_a_password_of_aristotles_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARISTOTLE_DATABASE_URL", "postgresql://reader:s3cret@localhost:4002/aristotle_dev")
    monkeypatch.setenv("ARISTOTLE_DB_PASSWORD", "s3cret")
    settings = AristotleSettings()
    assert "s3cret" not in f"{settings!r} {settings}"
    assert settings.db_password is not None
    assert settings.db_password.get_secret_value() == "s3cret"


@pytest.mark.parametrize("origin", ["*", "null", "app.example", "https://app.example/page", "https://a b", "file://x"])
def test_an_application_is_named_by_its_origin_alone(origin: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        Settings(embed_origins=(origin,))


def test_an_origin_is_kept_as_browsers_send_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDSMITH_EMBED_ORIGINS", "HTTPS://App.Example:443/, http://localhost:4000")
    assert Settings().embed_origins == ("https://app.example", "http://localhost:4000")
