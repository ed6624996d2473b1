"""Decision records have one form and one page, and what documents point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
PARTS = ("Context", "Decision", "Consequences", "Alternatives", "Where in code")
MAX_LINES = 45
CODE = re.compile(r"`([^`\s]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def cited(text: str) -> list[str]:
    """Paths in code marks, `a/b.py: name` included; words, commands and addresses are none."""
    found = [one.rstrip(":") for one in CODE.findall(text.replace(": ", ":` `"))]
    return [one for one in found if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(\.py|\.md|\.toml|\.txt|/)", one)]


def exists(path: str) -> bool:
    """In the project or the package; a bare name may stand for the file of that name in every step."""
    source = ROOT / "src" / "goldsmith"
    is_bare = "/" not in path
    return any((root / path).exists() for root in (ROOT, source)) or (is_bare and any(source.glob(f"*/{path}")))


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_has_five_parts_on_one_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {path.name[:4]}: \S", text)
    assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == list(PARTS)
    assert len(text.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", [*DECISIONS, ROOT / "ARCHITECTURE.md"], ids=name_of)
def test_a_decision_says_where_it_stands_in_the_code(path: Path) -> None:
    assert cited(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if "reference" not in path.parts], ids=name_of)
def test_the_code_that_a_document_cites_is_there(path: Path) -> None:
    # What a job folder holds is made while Goldsmith runs; NAME stands for a name that the reader chooses.
    made_later = {"job.json", "README.md"}
    paths = [one for one in cited(path.read_text(encoding="utf-8")) if "NAME" not in one]
    assert [one for one in paths if one not in made_later and not exists(one)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8"))]
    inside = [link for link in links if link and not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (path.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    docs = ROOT / "docs"
    waiting, seen = [docs / "index.md"], set[Path]()
    while waiting:
        page = waiting.pop().resolve()
        if page not in seen and page.exists() and page.suffix == ".md":
            seen.add(page)
            waiting += [page.parent / link for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [name_of(page) for page in sorted(docs.rglob("*.md")) if page.resolve() not in seen] == []
