"""Every setting there is. Read once, in `app.py` and `cli/`, and passed down as a value."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "GOLDSMITH_"
_SEPARATORS = {"allowed_hosts": ",", "webhook_hosts": ",", "embed_origins": ",", "import_roots": ":"}
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?")
"""Settings with several values, and what stands between these in a variable."""


class Settings(BaseSettings):
    """What a person may set, as environment variables with the prefix `GOLDSMITH_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", use_attribute_docstrings=True)

    home: Path = Field(default=Path("~/.goldsmith"), validate_default=True)
    """The folder for everything that Goldsmith keeps: database, files, models, environments, secrets."""

    database_url: str | None = None
    """A database other than the SQLite file in the home folder, e.g. `postgresql+psycopg://user@localhost/goldsmith`."""

    port: Annotated[int, Field(ge=1, le=65535)] = 8001
    """The port of the pages, the API and the gateway; on loopback."""

    gateway_wait_s: Annotated[float, Field(ge=0, le=600)] = 30.0
    """Seconds that callers wait for an engine that is starting or being changed, before they are told to come back."""

    engine_port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The first port that is tried for an engine of our own; on loopback."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Names besides the loopback ones under which the pages may be asked for, separated by commas."""

    torch_index_url: str = "https://download.pytorch.org/whl/cpu"
    """Where CPU builds of PyTorch are found when the user's own pip configuration does not offer them."""

    hub_offline: bool = False
    """Never ask a model hub for anything."""

    import_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    """Folders, separated by colons, from which model folders may be imported, besides the user's home folder."""

    traffic_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """For how many days it is kept what was counted of each model's requests, minute by minute."""

    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts of your own network, separated by commas, to which webhooks may go, although they are not public."""

    sealing_key: Path | None = None
    """A file with the key that seals passwords of other programs, on another disk than the home folder; without it, the
    key lies among the secrets."""

    embed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Applications whose pages may show Goldsmith's parts, as `https://app.example`, separated by commas."""

    machine_usd_per_hour: Annotated[float | None, Field(ge=0, le=100_000)] = None
    """What an hour of this machine costs, in dollars; then runs, batches and trainings say what they cost."""

    machine_watts: Annotated[float | None, Field(ge=0, le=1_000_000)] = None
    """What this machine draws while it works, in watts; then they say how much energy they took."""

    fine_tuning_backend: str = "trl"
    """How a training is done that comes over OpenAI's API and names no backend."""

    log_level: str = "info"
    """How much is logged: debug, info, warning or error."""

    @field_validator("allowed_hosts", "webhook_hosts", "embed_origins", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(_SEPARATORS["allowed_hosts"]) if part.strip())

    @field_validator("embed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """As browsers send them: in small letters, without a path, and without the usual port."""
        found = tuple(origin.lower().rstrip("/") for origin in value)
        for origin in found:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin; write it as https://app.example or http://localhost:4000")
        usual = {"http": ":80", "https": ":443"}
        return tuple(origin.removesuffix(usual[origin.partition(":")[0]]) for origin in found)

    @field_validator("import_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(Path(part) for part in value.split(_SEPARATORS["import_roots"]) if part)

    @property
    def database(self) -> str:
        """The database's URL, the default resolved."""
        return self.database_url or f"sqlite:///{self.root / 'goldsmith.db'}"

    @property
    def root(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().absolute()

    def to_environment(self) -> dict[str, str]:
        """Every setting as a variable, so that another process reads the same; home and database resolved."""
        resolved = {"home": self.root, "database_url": self.database}
        values = {name: resolved.get(name, getattr(self, name)) for name in type(self).model_fields}
        return {PREFIX + name.upper(): _as_text(name, value) for name, value in values.items() if value is not None}


class AristotleSettings(BaseSettings):
    """Where Aristotle's database is, under the names that Aristotle itself uses."""

    model_config = SettingsConfigDict(
        env_prefix="ARISTOTLE_", frozen=True, extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True
    )

    database_url: SecretStr | None = None
    """Its database, as `postgresql://reader:…@localhost:4002/aristotle_dev`; Prisma's `?schema=` is understood."""

    db_host: str | None = None
    """In place of the URL: the host; then the four others count too."""

    db_port: Annotated[int, Field(ge=1, le=65535)] = 4002
    """The port."""

    db_name: str = "aristotle_dev"
    """The database's name."""

    db_user: str | None = None
    """The role that Goldsmith uses; one with the least rights."""

    db_password: SecretStr | None = None
    """Its password."""

    eidos_from: str | None = None
    """Where eidos live: a table, or a query with `:id` and `:domain`; without it, tables of usual names are tried."""

    candidate_from: str | None = None
    """The same for candidates. What a query returns is what the model is asked about."""

    write_back: bool = False
    """Whether gold stars that are given or taken in Goldsmith are written into Aristotle's tables by themselves."""


def _as_text(name: str, value: object) -> str:
    return _SEPARATORS[name].join(map(str, value)) if isinstance(value, tuple) else str(value)
