"""The licence of every pinned package: of the control plane and of the environments of trainers and engines.

The control plane's stand in the metadata of what is installed. Environments are not installed beside the checks, so
theirs stand in `licences_of_environments.toml`, read once from packages that were; a lock and that table that do not
name the same packages are an error. `generate.py` calls it.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from goldsmith.environments import locks
from goldsmith.environments.types import EnvironmentName

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "licences_of_environments.toml"
LONGEST_LICENCE_CHARS = 60


def sections() -> Iterator[str]:
    """What is needed to run Goldsmith, what only development needs, then what environments hold."""
    yield (
        "Goldsmith is under Apache-2.0. The user's pip fetches what is listed here; Goldsmith ships none of it, except "
        "htmx and Chart.js for the pages, whose licences lie beside them in `src/goldsmith/web/static/vendor`. "
        "What is not under a licence of open source is named [beside the locks]"
        "(../src/goldsmith/environments/locks/README.md)."
    )
    running = needed_to_run()
    pinned = dict(pins())
    yield "## To run it"
    yield _table({name: version for name, version in pinned.items() if canonical(name) in running})
    yield "## To develop and test it"
    yield _table({name: version for name, version in pinned.items() if canonical(name) not in running})
    yield (
        "## In environments\n\nInstalled by `goldsmith env install`, each on its own. The locks for NVIDIA GPUs are "
        "not installed anywhere yet; the licences of what only they hold were read from the packages. *says nothing*: "
        "neither the package's metadata nor a file in it names a licence."
    )
    yield _environments(locked(), read_table())


def pins() -> Iterator[tuple[str, str]]:
    """Name and version of each line of `requirements.txt`."""
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            yield name, version


def locked() -> dict[str, dict[str, set[str]]]:
    """Every package of every lock, whatever the machine: name → version → the environments that hold it."""
    found: dict[str, dict[str, set[str]]] = {}
    for environment in EnvironmentName:
        for target in locks.targets(environment):
            for pin in locks.read_lock(environment, target).pins:
                found.setdefault(canonical(pin.name), {}).setdefault(pin.version, set()).add(environment.value)
    return found


def read_table() -> dict[str, str]:
    """The licences that were read, by package."""
    return dict(tomllib.loads(TABLE.read_text(encoding="utf-8"))["licences"])


def faults(packages: Iterable[str], table: Iterable[str]) -> list[str]:
    """Packages without a licence, and licences without a package, each in a sentence."""
    missing, left = sorted(set(packages) - set(table)), sorted(set(table) - set(packages))
    return [f"{name} is in a lock, and not in {TABLE.name}: read its licence." for name in missing] + [
        f"{name} is in {TABLE.name}, and in no lock any more: take it out." for name in left
    ]


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


def _environments(packages: Mapping[str, Mapping[str, set[str]]], table: Mapping[str, str]) -> str:
    if found := faults(packages, table):
        raise SystemExit("\n".join(found))
    lines = []
    for name, versions in sorted(packages.items()):
        held_by = sorted(set().union(*versions.values()))
        lines.append(f"| {name} | {', '.join(sorted(versions))} | {table[name]} | {', '.join(held_by)} |")
    return "\n".join(("| package | version | licence | in |", "| --- | --- | --- | --- |", *lines))


def _table(versions: dict[str, str]) -> str:
    lines = [f"| {name} | {version} | {licence_of(name)} |" for name, version in sorted(versions.items(), key=_by_name)]
    return "\n".join(("| package | version | licence |", "| --- | --- | --- |", *lines))


def _by_name(pair: tuple[str, str]) -> str:
    return pair[0].lower()
