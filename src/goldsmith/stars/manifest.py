"""The manifest of a training set: which stars, who gave them, which files with which hashes. Pure.

Nothing in it says when or where the export was made, so the same stars give the same bytes; that is kept in the row of
the training set. Whoever writes the folder calls `make_manifest` and stores the bytes as `manifest.json`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from goldsmith.stars.types import SetFormat, Side

VERSION = 1
"""Of the manifest's own shape."""


@dataclass(frozen=True)
class ManifestStar:
    """One exported star. `expected_sha256` is of the text to learn, `starred_by` the id of a person."""

    row_key: str
    side: Side
    stratum: str
    answer_id: str
    starred_by: str
    is_corrected: bool
    expected_sha256: str
    rejected_sha256: str | None = None
    """Of the bad answer to the same question; left out of the manifest of a star without one."""


@dataclass(frozen=True)
class ManifestBad:
    """One answer that was marked bad and is no star's pair. `marked_by` is the id of a person."""

    row_key: str
    answer_id: str
    marked_by: str
    text_sha256: str


@dataclass(frozen=True)
class ManifestFile:
    """One file beside the manifest."""

    name: str
    sha256: str
    num_bytes: int
    num_rows: int


@dataclass(frozen=True)
class Manifest:
    """The manifest as a value and as the bytes that are hashed and written."""

    content: dict[str, object]
    canonical_bytes: bytes

    @property
    def sha256(self) -> str:
        """The content hash of the training set."""
        return hashlib.sha256(self.canonical_bytes).hexdigest()

    def with_bad(self, bad: Sequence[ManifestBad]) -> "Manifest":
        """The same with the bad answers beside the stars; a set without any has the bytes that it always had."""
        if not bad:
            return self
        counts: Any = self.content["counts"]
        in_order = sorted(bad, key=lambda one: (one.row_key, one.answer_id))
        more = {"counts": {**counts, "num_bad": len(bad)}, "bad": [asdict(one) for one in in_order]}
        content = {**self.content, **more}
        return Manifest(content=content, canonical_bytes=canonical_bytes(content))


def make_manifest(
    stars: Sequence[ManifestStar],
    files: Sequence[ManifestFile],
    *,
    set_format: SetFormat,
    exam_share: float,
    dropped: Mapping[str, int],
    prompt_version_ids: Sequence[str] = (),
) -> Manifest:
    """Put it together, whatever the order of what is handed in. `dropped` counts stars left out, by the reason."""
    in_order = sorted(stars, key=lambda star: (star.row_key, star.answer_id))
    content: dict[str, object] = {
        "manifest_version": VERSION,
        "format": set_format.value,
        "exam_share": exam_share,
        "counts": _counts(in_order, dropped),
        "starred_by": dict(sorted(Counter(star.starred_by for star in in_order).items())),
        "strata": _strata(in_order),
        "dropped": dict(sorted(dropped.items())),
        "prompt_versions": sorted(set(prompt_version_ids)),
        "files": [asdict(file) for file in sorted(files, key=lambda file: file.name)],
        "stars": [_star(star) for star in in_order],
    }
    return Manifest(content=content, canonical_bytes=canonical_bytes(content))


def canonical_bytes(content: Mapping[str, object]) -> bytes:
    """The one way to write it: sorted keys, two spaces, ASCII only, a line's end."""
    return (json.dumps(content, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def _star(star: ManifestStar) -> dict[str, object]:
    known = {**asdict(star), "side": star.side.value}
    return {name: value for name, value in known.items() if value is not None}


def _counts(stars: Sequence[ManifestStar], dropped: Mapping[str, int]) -> dict[str, int]:
    num_pairs = sum(1 for star in stars if star.rejected_sha256 is not None)
    return {
        "num_stars": len(stars),
        "num_learn": sum(1 for star in stars if star.side is Side.learn),
        "num_exam": sum(1 for star in stars if star.side is Side.exam),
        "num_corrected": sum(1 for star in stars if star.is_corrected),
        "num_as_written": sum(1 for star in stars if not star.is_corrected),
        "num_dropped": sum(dropped.values()),
        **({"num_pairs": num_pairs} if num_pairs else {}),  # a set without any has the bytes that it always had
    }


def _strata(stars: Sequence[ManifestStar]) -> dict[str, dict[str, int]]:
    return {
        stratum: {side.value: sum(1 for star in stars if (star.stratum, star.side) == (stratum, side)) for side in Side}
        for stratum in sorted({star.stratum for star in stars})
    }
