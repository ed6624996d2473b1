"""What our server tells an application beyond what ASGI has, under `scope["extensions"]`."""

from collections.abc import Callable
from typing import Final

GONE: Final = "goldsmith.gone"
"""A `WhenGone` for the request, where the server has one. `receive` says the same, but a task has to wait for it."""
Stop = Callable[[], None]
"""Do not call it any more."""
WhenGone = Callable[[Callable[[], None]], Stop]
"""Have something called when the caller's connection is lost."""
