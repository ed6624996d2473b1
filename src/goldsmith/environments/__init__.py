"""Isolated environments for heavy programs: install, list, remove. Their pins contradict each other.

    >>> install(EnvironmentName.TRL, home=home, torch_index_url=url, report=print)  # doctest: +SKIP
    >>> python_of(EnvironmentName.TRL, home=home)  # doctest: +SKIP

Knows neither the jobs that start such programs nor what they do.
"""

from goldsmith.environments.folders import find, page, python_of, remove
from goldsmith.environments.installer import install
from goldsmith.environments.locks import install_time_hint
from goldsmith.environments.types import Environment, EnvironmentName, EnvironmentStatus, InstallHint

__all__ = [
    "Environment",
    "EnvironmentName",
    "EnvironmentStatus",
    "InstallHint",
    "find",
    "install",
    "install_time_hint",
    "page",
    "python_of",
    "remove",
]
