"""Whether a text is one single SELECT, told without knowing the database. What could be read in two ways is refused.

This is the first of three locks: the query is also sent as a part of our own SELECT, and in a transaction that the
database itself keeps from writing.
"""

import re

from goldsmith.connect.sources.errors import QueryRefused

MAX_CHARACTERS = 20_000
# fmt: off
_FORBIDDEN = frozenset({
    "insert", "update", "delete", "merge", "into", "create", "alter", "drop", "truncate", "grant", "revoke",
    "call", "exec", "execute", "do", "copy", "load", "attach", "detach", "pragma", "vacuum", "set", "lock",
    "begin", "commit", "rollback", "savepoint", "handler", "install", "outfile", "dumpfile",
})
# fmt: on
_PART = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)"
    r"|(?P<remark>--[^\n]*|/\*.*?\*/)|(?P<word>[^\W\d]\w*)|(?P<sign>.)",
    re.DOTALL,
)
_AMBIGUOUS = (
    ("\\'", "a backslash before a quote"),
    ("/*!", "a remark that some databases carry out"),
    ("\0", "a NUL character"),
)
_DOLLAR = re.compile(r"\$\w*\$")


def one_select(written: str) -> str:
    """The query as it may be sent, without remarks and without a semicolon at its end. Raises QueryRefused."""
    text = written.strip()
    if len(text) > MAX_CHARACTERS:
        raise QueryRefused(f"The query has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken.")
    for sign, what in _AMBIGUOUS:
        if sign in text:
            raise QueryRefused(f"The query holds {what}, which not every database reads in the same way.")
    if _DOLLAR.search(text):
        raise QueryRefused("The query holds a text between dollar signs, which not every database reads as one.")
    kept, words = _taken_apart(text)
    if not words or words[0] not in ("select", "with"):
        first = f"begins with {words[0].upper()}" if words else "is empty"
        raise QueryRefused(f"The query {first}; it has to begin with SELECT (or WITH … SELECT).")
    return kept.strip()


def _taken_apart(text: str) -> tuple[str, list[str]]:
    """What is left without remarks, and its words in lower case, up to the end of the only statement."""
    kept: list[str] = []
    words: list[str] = []
    depth, is_over = 0, False
    for part in _PART.finditer(text):
        piece, kind = part[0], part.lastgroup
        if kind == "remark":
            if "/*" in piece[2:]:
                raise QueryRefused("The query holds a remark within a remark.")
            kept.append(" ")
            continue
        if is_over and piece.strip():
            raise QueryRefused("There is more than one statement: something stands behind the semicolon.")
        if kind == "word":
            words.append(_allowed(piece.lower(), is_name=bool(kept) and kept[-1] == "."))
        elif kind == "sign":
            depth += {"(": 1, ")": -1}.get(piece, 0)
            is_over = is_over or piece == ";"
            _check_sign(piece, depth, kept[-1:] == ["/"])
        if not is_over:
            kept.append(piece)
    if depth:
        raise QueryRefused("A bracket is opened and never closed.")
    return "".join(kept), words


def _allowed(word: str, *, is_name: bool) -> str:
    if word in _FORBIDDEN and not is_name:
        raise QueryRefused(
            f"The query holds the word {word.upper()}; a source is only read.",
            hint=f'If it is the name of a column, write it in quotes or behind its table: t.{word} or "{word}".',
        )
    return word


def _check_sign(sign: str, depth: int, is_behind_stroke: bool) -> None:
    if depth < 0:
        raise QueryRefused("A bracket is closed that was never opened.")
    if sign in "'\"`":
        raise QueryRefused("A quote is opened and never closed.")
    if sign == "*" and is_behind_stroke:
        raise QueryRefused("A remark is opened and never closed.")
    if sign == "#":
        raise QueryRefused("The query holds #, with which a remark begins in some databases; write -- instead.")
