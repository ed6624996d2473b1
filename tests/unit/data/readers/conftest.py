"""Files to read: bytes under a temporary path, and workbooks made by hand, sound ones and hostile ones."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

WriteFile = Callable[[bytes | str], Path]
WriteWorkbook = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_file(content: bytes | str) -> Path:
        path = tmp_path / "up_0001"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def rows_xml() -> Callable[..., str]:
    """The inside of `sheetData` for rows of texts."""

    def make(rows: Sequence[Sequence[str]], *, first_row: int = 1) -> str:
        body = ""
        for place, row in enumerate(rows, start=first_row):
            cells = "".join(_text_cell(f"{chr(ord('A') + i)}{place}", text) for i, text in enumerate(row) if text)
            body += f'<row r="{place}">{cells}</row>'
        return body

    return make


@pytest.fixture
def write_workbook(tmp_path: Path) -> WriteWorkbook:
    """A workbook of sheets by name; parts may be added or replaced."""

    def make(
        sheets: Mapping[str, str], *, shared: Sequence[str] = (), parts: Mapping[str, str | bytes] | None = None
    ) -> Path:
        path = tmp_path / "up_0002"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (_parts(sheets, shared) | dict(parts or {})).items():
                archive.writestr(name, content)
        return path

    return make


def _text_cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _parts(sheets: Mapping[str, str], shared: Sequence[str]) -> dict[str, str | bytes]:
    names = list(enumerate(sheets, start=1))
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in names)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in names
    )
    related += f'<Relationship Id="rId99" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in shared)
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"/>',
    }
    for (number, _), data in zip(names, sheets.values(), strict=True):
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>'
        )
    return parts
