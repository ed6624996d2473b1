"""With what is trained on this machine: where files lie, the backends, and what the machine can do."""

from collections.abc import Mapping
from dataclasses import dataclass

from goldsmith.environments.machine import MachineFacts
from goldsmith.storage.files import Home
from goldsmith.train.backends.base import Backend


@dataclass(frozen=True)
class Workshop:
    """Handed to whoever starts a training."""

    home: Home
    backends: Mapping[str, Backend]
    machine: MachineFacts
