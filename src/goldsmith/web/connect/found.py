"""What the addresses of sources look up."""

from collections.abc import Mapping

from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.types import Source
from goldsmith.web.dependencies import MakeSource


def connected(sources: Mapping[str, MakeSource], name: str) -> Source:
    """The source. Raises SourceNotConnected."""
    found = sources[name]() if name in sources else None
    if found is None:
        raise SourceNotConnected(f"The settings do not say how to reach {name.capitalize()}.")
    return found
