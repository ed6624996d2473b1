"""One SELECT and nothing else is sent to a source, however it is written."""

import pytest

from goldsmith.connect.sources.errors import QueryRefused
from goldsmith.connect.sources.statement import one_select


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("SELECT 1", "SELECT 1"),
        ("  select id, q from t;  ", "select id, q from t"),
        ("SELECT a -- the first; column\nFROM t /* all; of it */", "SELECT a  \nFROM t  "),
        ("WITH x AS (SELECT 1 AS id) SELECT * FROM x", "WITH x AS (SELECT 1 AS id) SELECT * FROM x"),
        ("SELECT ';' AS sign, 'it''s; DROP TABLE t' AS text FROM t", None),
        ('SELECT "delete", t.update, `lock` FROM t', None),
        ("SELECT replace(q, 'a', 'b'), q::text FROM t WHERE q ~ ':x'", None),
        ("SELECT 'größe', 名前 FROM 表", None),
    ],
)
def test_a_select_is_taken(written: str, sent: str | None) -> None:
    assert one_select(written) == (sent.strip() if sent is not None else written)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "is empty"),
        ("-- nothing", "is empty"),
        ("DELETE FROM t", "DELETE"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("SELECT 1;;", "more than one statement"),
        ("SELECT 1; -- a remark\n DROP TABLE t", "more than one statement"),
        ("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "DELETE"),
        ("SELECT * INTO copy FROM t", "INTO"),
        ("SELECT * FROM t FOR UPDATE", "UPDATE"),
        ("EXPLAIN SELECT 1", "begins with EXPLAIN"),
        ("(SELECT 1) UNION (SELECT 2)) x", "never opened"),
        ("SELECT 1) x, (SELECT 2", "never opened"),
        ("SELECT (1", "never closed"),
        ("SELECT 'open", "never closed"),
        (r"SELECT '\'; DROP TABLE t; --'", "backslash before a quote"),
        (r"SELECT E'a\'; DELETE FROM t; --'", "backslash before a quote"),
        ("SELECT $$; DROP TABLE t; $$", "dollar signs"),
        ("SELECT $x$; DROP TABLE t; $x$", "dollar signs"),
        ("SELECT 1 /*! ; DROP TABLE t */", "carry out"),
        ("SELECT 1 /* a /* b */ ; DROP TABLE t */", "within a remark"),
        ("SELECT 1 # '\n; DROP TABLE t; -- '", "#"),
        ("SELECT 1\0", "NUL"),
        ("SELECT 1 /* open", "never"),
        ("PRAGMA writable_schema=ON", "PRAGMA"),
        ("ATTACH 'other.db' AS o", "ATTACH"),
        ("SELECT " + "1," * 20_000 + "1", "characters"),
    ],
)
def test_everything_else_is_refused_with_its_reason(written: str, why: str) -> None:
    with pytest.raises(QueryRefused, match=why):
        one_select(written)
