"""Which delimiter a text uses."""

import pytest

from goldsmith.data.readers import delimiter


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("id;text, long;x\n1;one, two, three;y\n2;none;z\n3;a, b;c\n", ";"),
        ('id,text\n1,"a;b;c"\n2,"d;e"\n', ","),
        ('id,text\n1,"a quoted\nnew; line"\n2,b\n', ","),
        ("question\nWhat, why?\n", None),
        ("", None),
    ],
)
def test_the_delimiter_with_the_most_constant_columns_wins(head: str, expected: str | None) -> None:
    assert delimiter.find(head) == expected


def test_a_head_that_ends_within_a_line_is_not_misled() -> None:
    assert delimiter.find("a;b\n" + "1,2;3\n" * 10 + "1,2") == ";"
