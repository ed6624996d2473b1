"""Texts as both databases can keep them, and as they are compared. Knows no table.

PostgreSQL takes neither NUL nor half a surrogate pair. Two texts that a person would call the same may differ in
capitals, in how an accented letter is stored, and in spaces; `plain` makes them one.
"""

import unicodedata
from collections.abc import Iterable


def storable(text: str) -> str:
    """The text, with a replacement character for everything that a database cannot keep."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def plain(text: str) -> str:
    """NFC, casefold, and every run of whitespace as one space."""
    if text.isascii():
        return " ".join(text.casefold().split())
    folded = unicodedata.normalize("NFD", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def searchable(texts: Iterable[object]) -> str:
    """What is kept beside texts to be searched: each of them plain, on a line of its own.

    So a text that is looked for, plain as well, is found within one of them and never across two.
    """
    return "\n".join(plain(str(text)) for text in texts)
