"""What can go wrong, in five families; every step refines them in its own `errors.py`.

Errors end a request. What happens to a job is a *failure* (`jobs/types.py`), which is recorded, not raised. This module
does not know HTTP: `web/problems.py` owns the table from family to status, the command line the one to exit codes.
"""

import re
from typing import ClassVar


class GoldsmithError(Exception):
    """Something that Goldsmith itself noticed. The message says what happened; `hint` says what to do now."""

    title: ClassVar[str] = "Something went wrong"
    default_hint: ClassVar[str] = "Look at the log; the reference number leads to the entry."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint))

    @classmethod
    def slug(cls) -> str:
        """The name in URLs: `JobAlreadyFinished` → `job-already-finished`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


def _rebuild(cls: type[GoldsmithError], message: str, hint: str) -> GoldsmithError:
    return cls(message, hint=hint)


class NotFound(GoldsmithError):
    """The thing asked for does not exist."""

    title = "Not found"
    default_hint = "Check the id, or list what there is."


class Invalid(GoldsmithError):
    """The request can never succeed as written."""

    title = "This cannot work as written"
    default_hint = "Change what the message names, and try again."


class Conflict(GoldsmithError):
    """The thing exists, but not in a state that allows this."""

    title = "Not possible in this state"
    default_hint = "Look at the state of the thing first."


class Denied(GoldsmithError):
    """The caller may not do this."""

    title = "Not allowed"
    default_hint = "Make a key with: goldsmith keys add"


class Unavailable(GoldsmithError):
    """A part that is needed is not answering."""

    title = "A part is not answering"
    default_hint = "Run: goldsmith doctor"
