"""Same stars, same bytes; and every number in it is counted."""

import json
from typing import Any

from goldsmith.stars.manifest import Manifest, ManifestFile, ManifestStar, make_manifest
from goldsmith.stars.types import SetFormat, Side

STARS = [
    ManifestStar(
        row_key=f"{number:064x}",
        side=Side.exam if number % 5 == 0 else Side.learn,
        stratum="häufig" if number % 2 else "selten",
        answer_id=f"ans_{number}",
        starred_by="per_anna" if number < 7 else "per_ben",
        is_corrected=number % 3 == 0,
        expected_sha256="e" * 64,
    )
    for number in range(10)
]
FILES = [
    ManifestFile("learn.jsonl", sha256="a" * 64, num_bytes=800, num_rows=8),
    ManifestFile("exam.jsonl", sha256="b" * 64, num_bytes=200, num_rows=2),
]


def manifest(stars: list[ManifestStar] | None = None, **changes: Any) -> Manifest:
    arguments: dict[str, Any] = {
        "set_format": SetFormat.chatml,
        "exam_share": 0.2,
        "dropped": {"duplicate": 3, "empty": 1},
        "prompt_version_ids": ["pv_2", "pv_1", "pv_2"],
    }
    return make_manifest(STARS if stars is None else stars, changes.pop("files", FILES), **(arguments | changes))


def test_the_same_stars_give_the_same_bytes_in_any_order() -> None:
    shuffled = STARS[::3] + STARS[2::3] + STARS[1::3]
    other = manifest(
        shuffled, files=FILES[::-1], dropped={"empty": 1, "duplicate": 3}, prompt_version_ids=["pv_1", "pv_2"]
    )
    assert other.canonical_bytes == manifest().canonical_bytes
    assert other.sha256 == manifest().sha256
    assert len(other.sha256) == 64


def test_another_star_or_another_format_gives_another_hash() -> None:
    hashes = {
        manifest().sha256,
        manifest(STARS[:-1]).sha256,
        manifest(set_format=SetFormat.alpaca).sha256,
        manifest(dropped={}).sha256,
    }
    assert len(hashes) == 4


def test_counts_and_people_are_in_it() -> None:
    content = manifest().content
    assert content["counts"] == {
        "num_stars": 10,
        "num_learn": 8,
        "num_exam": 2,
        "num_corrected": 4,
        "num_as_written": 6,
        "num_dropped": 4,
    }
    assert content["starred_by"] == {"per_anna": 7, "per_ben": 3}
    assert content["strata"] == {"häufig": {"learn": 4, "exam": 1}, "selten": {"learn": 4, "exam": 1}}


def test_the_bytes_are_the_content_as_plain_json() -> None:
    made = manifest()
    assert json.loads(made.canonical_bytes) == made.content
    assert made.canonical_bytes.isascii()
    assert made.canonical_bytes.endswith(b"}\n")


def test_an_empty_set_has_a_manifest_too() -> None:
    content = manifest([], files=[], dropped={}).content
    assert content["stars"] == []
    assert content["strata"] == {}
