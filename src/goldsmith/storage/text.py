"""Texts as both databases can keep them: PostgreSQL takes neither NUL nor half a surrogate pair."""


def storable(text: str) -> str:
    """The text, with a replacement character for everything that a database cannot keep."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
