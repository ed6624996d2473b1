import pytest

from goldsmith.stars.equality import is_equal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a\n", "a"),
        ("e\u0301", "é"),
        ('{"a": 1, "b": "x"}', '{"b":" x ","a":1.0}'),
        ('[1, {"a": null}]', '[1,{"a":null}]'),
    ],
)
def test_equal(text: str, expected: str) -> None:
    assert is_equal(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A", "a"),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ("a", '{"a": 1}'),
        ("1.0", "1"),
        ('{"a": NaN}', '{"a":  NaN}'),
        ('["a"]', '{"a": 1}'),
    ],
)
def test_not_equal(text: str, expected: str) -> None:
    assert not is_equal(text, expected)
