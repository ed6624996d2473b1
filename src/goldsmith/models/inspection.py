"""What a model folder or file really holds, told by its content; what must not be loaded is refused by name.

Refused: pickled weights, Python code, `auto_map`, links, damaged or missing files. Nothing is loaded or run here. Knows
no table; called where a base model is added.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from goldsmith.errors import Invalid
from goldsmith.models import gguf_header, tokenizer_files
from goldsmith.models.errors import ModelRefused
from goldsmith.models.rendering import Renderer
from goldsmith.models.safetensors_header import SafetensorsHeader, read_header
from goldsmith.storage.files import sha256_of

MAX_FILES = 10_000
PICKLED_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz"})
CODE_SUFFIXES = frozenset({".py", ".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib"})
COUNTED_SUFFIXES = frozenset({".json", ".jinja", ".txt", ".model"})
"""Files beside the weights that change what the model does, so they count in its hash."""
CODE_KEYS = frozenset({"auto_map", "custom_pipelines"})
NO_TEMPLATE = "The model has no chat template, so it cannot chat."
DTYPE_NAMES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}


class ModelKind(StrEnum):
    """In what form a model comes."""

    FOLDER = "folder"
    """Safetensors with a tokenizer: what trainers and engines read."""
    GGUF = "gguf"
    """One file; converted into a folder before anything else."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that belongs to the model; whoever keeps a copy takes these and no others."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was found in a folder. What the files do not say is None."""

    architecture: str
    num_parameters: int
    size_bytes: int
    dtype: str
    context_length: int | None
    has_chat_template: bool
    template_hash: str | None
    end_marker: str | None
    template_problem: str | None
    """Why the model cannot be trained or chatted with as it is, in a sentence."""
    licence: str | None
    content_hash: str
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """What the header of a GGUF file says. What it does not say is None."""

    version: int
    num_tensors: int
    num_parameters: int
    architecture: str
    context_length: int | None
    template_problem: str | None
    """Why the model cannot be trained or chatted with, in a sentence."""
    licence: str | None
    size_bytes: int
    content_hash: str


def kind_of(path: Path) -> ModelKind:
    """Folder or GGUF file, told by the first bytes and never by the name."""
    if path.is_dir():
        return ModelKind.FOLDER
    if not path.is_file():
        raise ModelRefused(f"{path.name} is not there.", hint="Check the path.")
    start = _first_bytes(path)
    if start.startswith(b"GGUF"):
        return ModelKind.GGUF
    if _is_pickle(start):
        raise ModelRefused(f"{path.name} is a pickle, which runs code when it is opened.")
    raise ModelRefused(f"{path.name} is neither a model folder nor a GGUF file.")


def inspect_gguf(path: Path) -> GgufFacts:
    """Walk all of a GGUF file's header. Raises ModelRefused."""
    header = gguf_header.read_header(path)
    return GgufFacts(
        version=header.version,
        num_tensors=header.num_tensors,
        num_parameters=header.num_parameters,
        architecture=header.architecture,
        context_length=header.context_length,
        template_problem=None if header.chat_template else NO_TEMPLATE,
        licence=header.licence,
        size_bytes=path.stat().st_size,
        content_hash=sha256_of(path),
    )


def inspect_folder(folder: Path) -> ModelFacts:
    """Look at everything in the folder, refuse what must be refused, and say what the model is."""
    if not folder.is_dir():
        raise ModelRefused(f"{folder.name} is not a folder.", hint="Give the folder that holds config.json.")
    for path in _all_files(folder):
        refuse_file(path, folder)
    config = tokenizer_files.read_json(folder / "config.json")
    if not config:
        missing = (
            "an adapter, not a base model" if (folder / "adapter_config.json").is_file() else "without config.json"
        )
        raise ModelRefused(f"The folder is {missing}.")
    headers = _read_weights(folder)
    files = tuple(_kept_files(folder, frozenset(headers)))
    template_hash, end_marker, problem = _look_at_template(folder)
    return ModelFacts(
        architecture=_architecture(config),
        num_parameters=sum(header.num_parameters for header in headers.values()),
        size_bytes=sum(file.size_bytes for file in files),
        dtype=_dtype(list(headers.values())),
        context_length=tokenizer_files.context_length(folder),
        has_chat_template=template_hash is not None,
        template_hash=template_hash,
        end_marker=end_marker,
        template_problem=problem,
        licence=_licence(folder, config),
        content_hash=_content_hash(files),
        files=files,
    )


def refuse_file(path: Path, folder: Path) -> None:
    """Raise ModelRefused if this file of a model folder is one that may run code when the model is loaded."""
    name = path.relative_to(folder).as_posix()
    suffix = path.suffix.lower()
    refuse_code(name)
    start = _first_bytes(path)
    if suffix in PICKLED_SUFFIXES or (suffix != ".safetensors" and _is_pickle(start)):
        raise ModelRefused(
            f"{name} is a pickle or may be one, which runs code when it is opened.",
            hint="Use the model's safetensors files, and leave this file out of the folder.",
        )
    if name.endswith("config.json"):
        key = _find_code_key(tokenizer_files.read_json(path))
        if key:
            raise ModelRefused(
                f"{name}: the key {key} makes loaders run code that comes with the model.",
                hint="Use a model that its libraries know by themselves.",
            )


def refuse_code(name: str) -> None:
    """Raise ModelRefused if a file of this name in a model is program code."""
    if Path(name).suffix.lower() in CODE_SUFFIXES or name.startswith("custom_generate/"):
        raise ModelRefused(
            f"{name} is program code; a model that needs its own code is not loaded.",
            hint="Use a model that its libraries know by themselves.",
        )


def is_text_that_counts(name: str) -> bool:
    """Whether a file beside the weights belongs to the model: what changes what it does, its licence, its card."""
    return Path(name).suffix.lower() in COUNTED_SUFFIXES or name.upper().startswith(("LICENSE", "README"))


def template_problem(folder: Path) -> str | None:
    """Why the model in the folder cannot be chatted with, told without its weights; None when it can."""
    return _look_at_template(folder)[2]


def _all_files(folder: Path) -> Iterator[Path]:
    """Every file that is not hidden. Links are refused, so nothing outside the folder is ever read."""
    for number, path in enumerate(sorted(folder.rglob("*")), start=1):
        name = path.relative_to(folder).as_posix()
        if number > MAX_FILES:
            raise ModelRefused(f"The folder has more than {MAX_FILES:,} files.")
        if any(part.startswith(".") for part in Path(name).parts):
            continue
        if path.is_symlink():
            raise ModelRefused(f"{name} is a link.", hint="Copy the folder with its links followed: cp -rL FROM TO")
        if path.is_file():
            yield path
        elif not path.is_dir() or name == "custom_generate":
            raise ModelRefused(f"{name} does not belong in a model folder.")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(24)


def _is_pickle(start: bytes) -> bool:
    """A zip (how torch saves), or a pickle of protocol 2 to 5."""
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))


def _find_code_key(value: Any) -> str | None:
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            found = CODE_KEYS & current.keys()
            if found:
                return min(found)
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return None


def _read_weights(folder: Path) -> dict[str, SafetensorsHeader]:
    """File name → checked header, for the files that a loader would take."""
    index = tokenizer_files.read_json(folder / "model.safetensors.index.json").get("weight_map")
    if index is None:
        found = sorted(path.name for path in folder.glob("*.safetensors"))
        names = ["model.safetensors"] if "model.safetensors" in found else found
        if len(names) != 1:
            problem = "no safetensors weights" if not names else "several weight files and no index that lists them"
            raise ModelRefused(f"The folder has {problem}.")
        return {names[0]: read_header(folder / names[0])}
    return _read_shards(folder, index)


def _read_shards(folder: Path, index: Any) -> dict[str, SafetensorsHeader]:
    where = "model.safetensors.index.json"
    if not isinstance(index, dict) or not all(isinstance(name, str) for name in index.values()) or not index:
        raise ModelRefused(f"{where}: weight_map does not say which file holds which tensor.")
    headers = {}
    for name in sorted(set(index.values())):
        if Path(name).name != name or not name.endswith(".safetensors") or not (folder / name).is_file():
            raise ModelRefused(f"{where} names {name[:80]!r}, which is not a weight file of this folder.")
        headers[name] = read_header(folder / name)
    for tensor, name in index.items():
        if tensor not in headers[name].tensor_names:
            raise ModelRefused(f"{where}: tensor {tensor[:80]!r} is not in {name}.")
    return headers


def _kept_files(folder: Path, weights: frozenset[str]) -> Iterator[ModelFile]:
    for path in sorted(folder.iterdir()):
        is_wanted = path.name in weights or is_text_that_counts(path.name)
        if path.is_file() and not path.name.startswith(".") and is_wanted:
            yield ModelFile(path.name, path.stat().st_size, sha256_of(path))


def _content_hash(files: tuple[ModelFile, ...]) -> str:
    """One hash for everything that changes what the model does; a README or a licence does not."""
    counted = [file for file in files if not file.name.upper().startswith(("LICENSE", "README"))]
    return sha256("".join(f"{file.name}\0{file.sha256}\n" for file in counted).encode()).hexdigest()


def _architecture(config: dict[str, Any]) -> str:
    named = config.get("architectures")
    first = named[0] if isinstance(named, list) and named else config.get("model_type")
    if not isinstance(first, str):
        raise ModelRefused("config.json names no architecture.")
    return first


def _dtype(headers: list[SafetensorsHeader]) -> str:
    """The type of most of the parameters."""
    totals: dict[str, int] = {}
    for header in headers:
        for dtype, count in header.parameters_by_dtype.items():
            totals[dtype] = totals.get(dtype, 0) + count
    most = max(totals, key=lambda dtype: totals[dtype])
    return DTYPE_NAMES.get(most, most.lower())


def _look_at_template(folder: Path) -> tuple[str | None, str | None, str | None]:
    """Template hash, end marker, and why the template cannot be used."""
    text = tokenizer_files.chat_template(folder)
    if text is None:
        return None, None, NO_TEMPLATE
    try:
        renderer = Renderer.open(folder)
    except Invalid as error:
        return sha256(text.encode()).hexdigest(), None, error.message
    return renderer.template_hash, renderer.end_marker, None


def _licence(folder: Path, config: dict[str, Any]) -> str | None:
    readme = folder / "README.md"
    if readme.is_file():
        with readme.open(encoding="utf-8", errors="replace") as file:
            start = file.read(65_536)
        front = re.match(r"---\n(.*?)\n---", start, flags=re.DOTALL)
        named = re.search(r"^license:\s*['\"]?([\w.+-]{1,64})", front[1], flags=re.MULTILINE) if front else None
        if named:
            return named[1]
    licence = config.get("license")
    return licence[:64] if isinstance(licence, str) else None
