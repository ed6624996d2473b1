"""The licence of every pinned requirement of the control plane, from the metadata of what is installed.

`generate.py` calls it. The environments of trainers and engines have locks of their own, whose licences of note are
written beside them.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LONGEST_LICENCE_CHARS = 60


def sections() -> Iterator[str]:
    """What is needed to run Goldsmith, then what only development needs."""
    yield (
        "Goldsmith is under Apache-2.0. The user's pip fetches what is listed here; Goldsmith ships none of it, except "
        "htmx and Chart.js for the pages, whose licences lie beside them in `src/goldsmith/web/static/vendor`. "
        "For the environments of trainers and engines see "
        "[their locks](../src/goldsmith/environments/locks/README.md)."
    )
    running = needed_to_run()
    pinned = dict(pins())
    yield "## To run it"
    yield _table({name: version for name, version in pinned.items() if canonical(name) in running})
    yield "## To develop and test it"
    yield _table({name: version for name, version in pinned.items() if canonical(name) not in running})


def pins() -> Iterator[tuple[str, str]]:
    """Name and version of each line of `requirements.txt`."""
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            yield name, version


def needed_to_run() -> set[str]:
    """The project's dependencies with its extras, and theirs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for some in project["optional-dependencies"].values() for one in some]
    waiting = [Requirement(one) for one in (*project["dependencies"], *extras)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        key = (canonical(requirement.name), frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            waiting += _required_by(requirement)
    return {name for name, _ in seen}


def canonical(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(name: str) -> str:
    """The licence as the distribution's metadata says it."""
    said = metadata.metadata(name).json
    expression, text = str(said.get("license_expression", "")), str(said.get("license", ""))
    classifiers = [one.rpartition(" :: ")[2] for one in said.get("classifier", ()) if one.startswith("License ::")]
    if expression:
        return expression
    if text and "\n" not in text and len(text) <= LONGEST_LICENCE_CHARS and text.upper() != "UNKNOWN":
        return text
    return ", ".join(sorted(set(classifiers))) or "says nothing"


def _required_by(requirement: Requirement) -> Iterator[Requirement]:
    try:
        lines = metadata.requires(requirement.name) or ()
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        found = Requirement(line)
        extras = ("", *requirement.extras)
        if found.marker is None or any(found.marker.evaluate({"extra": extra}) for extra in extras):
            yield found


def _table(versions: dict[str, str]) -> str:
    lines = [f"| {name} | {version} | {licence_of(name)} |" for name, version in sorted(versions.items(), key=_by_name)]
    return "\n".join(("| package | version | licence |", "| --- | --- | --- |", *lines))


def _by_name(pair: tuple[str, str]) -> str:
    return pair[0].lower()
