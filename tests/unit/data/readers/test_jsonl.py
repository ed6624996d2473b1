"""JSON rows: exact values, broken ones listed, columns from the first thousand rows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldsmith.data.readers import BadRow, ReadRow, open_rows
from goldsmith.data.readers.errors import DuplicateColumns, EmptyFile

WriteFile = Callable[[bytes | str], Path]

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
rows_of_texts = st.lists(st.fixed_dictionaries({"question": texts, "answer": texts}), min_size=1, max_size=8)


@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize("is_list", [True, False])
@given(rows=rows_of_texts)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_as_json_is_read_the_same(
    tmp_path: Path, is_ascii: bool, is_list: bool, rows: list[dict[str, str]]
) -> None:
    path = tmp_path / "a.json"
    lines = [json.dumps(row, ensure_ascii=is_ascii) for row in rows]
    whole = json.dumps(rows, ensure_ascii=is_ascii, indent=2)
    path.write_bytes((whole if is_list else "\n".join(lines)).encode())
    assert list(open_rows(path, filename="a.jsonl")) == [ReadRow(n, row) for n, row in enumerate(rows, start=1)]


def test_broken_json_in_row_7_is_listed_and_the_others_stay(write: WriteFile) -> None:
    lines = [f'{{"q": "{n}"}}' for n in range(1, 11)]
    lines[6] = '{"q": "7"'
    items = list(open_rows(write("\n\n".join(lines)), filename="a.jsonl"))
    bad = items[6]
    assert isinstance(bad, BadRow)
    assert bad.number == 7
    assert bad.reason.startswith("line 13 is not valid JSON")
    assert [item.number for item in items if isinstance(item, ReadRow)] == [1, 2, 3, 4, 5, 6, 8, 9, 10]


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ('["a", "b"]', None, "holds a list"),
        ("17", None, "holds a number"),
        ('"x"', None, "holds a text"),
        ("null", None, "holds null"),
        ('{"q": NaN}', None, "NaN is not JSON"),
        ('{"q": 1e999}', None, "too large"),
        ('{"q": "a", "q": "b"}', "q", "twice"),
        ('{"q": ' + "[" * 100_000, None, "nested too deeply"),
        ('{"q": ' + "9" * 5000 + "}", None, "number"),
        ('{"a\\u0000b": 1}', None, "name"),
        ('{"q" \0: 1}', None, "NUL"),
    ],
)
def test_a_line_that_is_no_row_says_why(write: WriteFile, line: str, column: str | None, words: str) -> None:
    good, bad, last = open_rows(write(f'{{"q": "a"}}\n{line}\n{{"q": "b"}}\n'), filename="a.jsonl")
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.column) == (2, column)
    assert words in bad.reason
    assert "line 2" in bad.reason
    assert isinstance(good, ReadRow)
    assert isinstance(last, ReadRow)


def test_values_that_are_no_text_become_compact_json(write: WriteFile) -> None:
    row = '{"a": null, "b": true, "c": 12345678901234567890123, "d": 1.5, "e": {"x": ["ü", 1]}, "f": [], "g": "t"}\n'
    assert list(open_rows(write(row), filename="a.jsonl")) == [
        ReadRow(
            1,
            {
                "a": "",
                "b": "true",
                "c": "12345678901234567890123",
                "d": "1.5",
                "e": '{"x":["ü",1]}',
                "f": "[]",
                "g": "t",
            },
        )
    ]


def test_columns_are_those_of_the_first_thousand_rows(write: WriteFile) -> None:
    lines = ['{"a": "1"}'] * 999 + ['{"b": "2"}', '{"a": "3", "late": "4"}', '{"a": "5"}']
    source = open_rows(write("\n".join(lines)), filename="a.jsonl")
    assert source.columns == ("a", "b")
    items = list(source)
    assert items[0] == ReadRow(1, {"a": "1", "b": ""})
    assert items[999] == ReadRow(1000, {"a": "", "b": "2"})
    late = items[1000]
    assert isinstance(late, BadRow)
    assert (late.number, late.column) == (1001, "late")
    assert items[1001] == ReadRow(1002, {"a": "5", "b": ""})


def test_names_that_are_equal_once_stripped_are_refused(write: WriteFile) -> None:
    with pytest.raises(DuplicateColumns, match="“a ”"):
        open_rows(write('{"a": 1}\n{"a ": 2}\n'), filename="a.jsonl")


def test_an_empty_list_is_an_empty_file(write: WriteFile) -> None:
    with pytest.raises(EmptyFile, match="list"):
        open_rows(write(" [ \n ] "), filename="a.json")


def test_a_broken_element_of_a_list_is_listed_and_the_next_ones_read(write: WriteFile) -> None:
    items = list(open_rows(write('[{"a": 1},\n{"a": tru},\n{"a": "x"}]'), filename="a.json"))
    assert items[0] == ReadRow(1, {"a": "1"})
    assert isinstance(items[1], BadRow)
    assert items[1].number == 2
    assert "line 2" in items[1].reason
    assert items[2] == ReadRow(3, {"a": "x"})


def test_a_list_that_was_cut_off_says_so(write: WriteFile) -> None:
    items = list(open_rows(write('[{"a": 1},\n{"a": 2'), filename="a.json"))
    assert isinstance(items[-1], BadRow)
    assert (len(items), items[-1].number) == (2, 2)
    assert "cut off" in items[-1].reason


def test_a_file_of_bad_lines_only_still_lists_them(write: WriteFile) -> None:
    source = open_rows(write("{broken\n{broken\n"), filename="a.jsonl")
    assert source.columns == ()
    assert [type(item) for item in source] == [BadRow, BadRow]
