"""The program of a heavy child: copied into its job folder, so that the folder can be downloaded and rerun by hand.

Knows no step and no backend: which module is run and with which Python is for the caller to say.
"""

import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import goldsmith
from goldsmith.jobs.errors import ProgramMissing
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.types import Launch
from goldsmith.storage.files import remove_folder, write_whole

GPU = "gpu"
"""How the slot of a GPU is called, before its number."""
OURS = "goldsmith"
_PARTS = ("wire", "trainers")
# What a child needs of the environment of its parent; everything else is said in its order.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
_FORCED = {
    "HF_HUB_OFFLINE": "1",  # everything is at hand; a training must not hang on a network
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",  # its warning fills logs, and rows come tokenised
    "PYTHONUNBUFFERED": "1",  # the log is read while the program runs
}


def copy_program(folder: JobFolder, module: str = OURS) -> None:
    """Put copies of `wire` and `trainers` under `program/`, and of a plugin's package where the module is a plugin's.

    Older copies are replaced. Raises ProgramMissing where the module's package is not installed any more.
    """
    package = Path(goldsmith.__file__).parent
    target = folder.program / OURS
    remove_folder(target)
    target.mkdir(mode=0o700, parents=True)
    shutil.copy2(package / "__init__.py", target)
    for part in _PARTS:
        _copy(package / part, target / part)
    owner = module.partition(".")[0]
    if owner != OURS:
        remove_folder(folder.program / owner)
        _copy(_folder_of(owner), folder.program / owner)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


def _folder_of(package: str) -> Path:
    """Where a package lies; nothing of it is loaded."""
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise ProgramMissing(f"The package {package} is not installed here.")
    return Path(places[0])


def command(python: Path, module: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """How a program is run: isolated from the user's own Python settings, its imports those of the copy."""
    return (str(python), "-E", "-s", "-m", module, *arguments)


def launch(folder: JobFolder, argv: Sequence[str], parent_env: Mapping[str, str], *, slot: str | None = None) -> Launch:
    """The child, started in `program/` with little of its parent's environment; it sees the GPU of its slot alone."""
    env = {name: parent_env[name] for name in _PASSED_ON if name in parent_env}
    if slot is not None and slot.startswith(GPU):
        number = int(slot.removeprefix(GPU))
        env["CUDA_VISIBLE_DEVICES"] = own_gpu(number, parent_env.get("CUDA_VISIBLE_DEVICES", ""))
    return Launch(tuple(argv), cwd=folder.program, env={**env, **_FORCED})


def own_gpu(number: int, visible: str) -> str:
    """What CUDA is told to see: one GPU, of those that this process may see itself."""
    names = [name.strip() for name in visible.split(",") if name.strip()]
    return names[number] if number < len(names) else str(number)


def write_readme(folder: JobFolder, title: str, argv: Sequence[str]) -> None:
    """Say how the folder is run by hand."""
    text = (
        f"# {title}\n\nEverything this job needs is in this folder. To run it by hand:\n\n"
        f"    cd program && {' '.join(argv)}\n\nWhat it reports is in `attempts/`, what it made in `result/`.\n"
    )
    write_whole(folder.readme, text)
