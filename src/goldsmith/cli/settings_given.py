"""Settings of a training as they are written on a command line: NAME=VALUE, NAME=VALUE,VALUE, and where it runs."""

from collections.abc import Sequence
from typing import Annotated

import typer

from goldsmith.errors import Invalid
from goldsmith.train.recipe import EnginesRest

Gpu = Annotated[int | None, typer.Option(min=0, help="The number of the GPU that it must have. Default: any.")]
Rest = Annotated[EnginesRest, typer.Option(help="Whether engines stop while it trains; auto: those on its GPU.")]


class SettingNotReadable(Invalid):
    """A `--set` option is not of the form NAME=VALUE."""

    title = "A setting cannot be read"
    default_hint = "Write it like: --set num_epochs=3"


def read_settings(written: Sequence[str]) -> dict[str, str]:
    """Name → value; a later one counts. Raises SettingNotReadable."""
    pairs = [setting.partition("=") for setting in written]
    for name, sign, _ in pairs:
        if not sign or not name:
            raise SettingNotReadable(f"{name!r} has no value.")
    return {name: value for name, _, value in pairs}


def read_varied(written: Sequence[str]) -> dict[str, list[str]]:
    """Name → values; those of a name that is given twice add up. Raises SettingNotReadable."""
    found: dict[str, list[str]] = {}
    for each in written:
        for name, values in read_settings([each]).items():
            found.setdefault(name, []).extend(value.strip() for value in values.split(",") if value.strip())
    return found
