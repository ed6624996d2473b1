"""Which places of this machine a source may read: below the folders that were named, and never Goldsmith's own."""

from pathlib import Path

from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused
from goldsmith.connect.sources.types import Surroundings
from goldsmith.settings import Settings
from goldsmith.storage.files import Home, is_under


def surroundings(settings: Settings, home: Home) -> Surroundings:
    """As the settings say it."""
    return Surroundings((Path.home(), *settings.import_roots), home.root, settings.webhook_hosts)


def allowed(path: Path, surroundings: Surroundings) -> Path:
    """The path, links resolved. Raises OptionsNotUsable, SourceRefused."""
    wanted = path.expanduser()
    if not wanted.is_absolute():
        raise OptionsNotUsable(f"{str(path)[:200]!r} is no whole path.", hint="Begin it with /, or with ~ for home.")
    real = wanted.resolve()
    if is_under(real, (surroundings.private,)) or surroundings.private.resolve().is_relative_to(real):
        raise SourceRefused(f"{real} is, or holds, Goldsmith's own folder.", hint="Choose a folder of its own.")
    if not is_under(real, surroundings.roots):
        named = ", ".join(map(str, surroundings.roots))
        raise SourceRefused(
            f"{real} lies outside of the folders that may be read: {named}.",
            hint="Move it there, or name its folder in GOLDSMITH_IMPORT_ROOTS and start Goldsmith again.",
        )
    if not real.exists():
        raise OptionsNotUsable(f"There is nothing at {real}.", hint="Look at how it is spelled, on this very machine.")
    return real
