"""What encoding a file has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.data.readers import encoding
from goldsmith.data.readers.types import EncodingSource

WriteFile = Callable[[bytes | str], Path]

GERMAN = "frage,antwort\n" + "Können Sie mir das Büro zeigen?,Natürlich – gern: das große Zimmer für Gäste\n" * 20


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_says_it(write: WriteFile, name: str) -> None:
    found = encoding.find(write(GERMAN.encode(name)))
    assert (found.name, found.source) == (name, EncodingSource.MARK)


def test_utf8_is_checked_over_the_whole_file(write: WriteFile) -> None:
    assert encoding.find(write(GERMAN)).source is EncodingSource.VALID
    late = b"q,a\n" + b"x,y\n" * 700_000 + "ü,ü\n".encode("cp1252")
    assert encoding.find(write(late)).source is EncodingSource.GUESSED


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_seen_by_its_nul_bytes(write: WriteFile, name: str) -> None:
    assert encoding.find(write(GERMAN.encode(name))).name == name


@pytest.mark.parametrize("name", ["cp1252", "latin-1"])
def test_western_text_is_guessed_and_read_right(write: WriteFile, name: str) -> None:
    text = GERMAN.replace("–", "-")
    found = encoding.find(write(text.encode(name)))
    assert found.source is EncodingSource.GUESSED
    assert text.encode(name).decode(found.name) == text


@pytest.mark.parametrize(
    "text",
    [
        "name,größe",
        "name,größe\n",
        "naïve,café\n",
        "prénom,âge\nÉlodie,30\n",
        "preis,€ 5\n",
        "a,ñ\n",
        "Maß;Übung – „gut“\n",
    ],
)
def test_a_few_western_words_are_not_taken_for_another_script(write: WriteFile, text: str) -> None:
    found = encoding.find(write(text.encode("cp1252")))
    assert (found.name, found.source) == ("cp1252", EncodingSource.GUESSED)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shift_jis", "質問,答え\n東京はどこですか,日本の首都です\n"),
        ("gb18030", "name,city\nJohn,北京\n"),
        ("gb18030", "问题,答案\n北京在哪里,中国\n"),
        ("cp1251", "question,answer\nWhere is it?,Москва, город в России\n"),
        ("cp1250", "pytanie,odpowiedź\nGdzie jest Łódź,w Polsce\n"),
    ],
)
def test_a_few_words_of_another_script_are_not_taken_for_western_ones(write: WriteFile, name: str, text: str) -> None:
    assert encoding.find(write(text.encode(name))).name != "cp1252"


def test_a_few_broken_bytes_do_not_turn_utf8_into_something_else(write: WriteFile) -> None:
    assert encoding.find(write(GERMAN.encode() + b"broken \xe4 here,x\n")).name == "utf-8"


def test_utf8_with_a_single_nul_is_not_taken_for_utf16(write: WriteFile) -> None:
    assert encoding.find(write("a,b\n1,\0\n")).name == "utf-8"


@pytest.mark.parametrize(("chosen", "expected"), [("UTF8", "utf-8-sig"), ("utf-8", "utf-8-sig"), ("cp1252", "cp1252")])
def test_the_chosen_one_wins_and_a_fitting_mark_is_taken_off(write: WriteFile, chosen: str, expected: str) -> None:
    found = encoding.find(write(GERMAN.encode("utf-8-sig")), chosen=chosen)
    assert (found.name, found.source) == (expected, EncodingSource.CHOSEN)
