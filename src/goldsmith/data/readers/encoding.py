"""How a text file is encoded: byte order mark first, then UTF-8 over the whole file, only then a guess that is named.

Reads bytes in pieces, never the whole file at once. Knows nothing of rows.
"""

import codecs
import re
from pathlib import Path
from typing import BinaryIO

from goldsmith.data.readers.errors import UnknownEncoding
from goldsmith.data.readers.types import Encoding, EncodingSource
from goldsmith.data.readers.values import UNDECODABLE

GUESS_BYTES = 1_000_000
MARK_ERRORS = "goldsmith.mark"
"""The error handler under which undecodable bytes become `UNDECODABLE` instead of ending the file."""

_PIECE_BYTES = 1 << 20
_MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
STRONG_COHERENCE = 0.3
"""From here on the letters are as frequent as in some language, which is worth more than how single words look."""

_WESTERN = frozenset(
    "äöüßéèêëàâçîïôùûœæñáíóúãõåøìòÀÂÄÖÜÉÈÊËÇÎÏÔÙÛŒÆÑÁÍÓÚÃÕÅØ€‚„“”‘’–—…«»‹›°§²³µ·´£©®™½¼¿¡ºª\N{NO-BREAK SPACE}"
)
_WORD = re.compile(r"[^\W\d_]+")
_ACCENTS_IN_A_ROW = re.compile(r"[^\W\d_a-zA-Z]{3}")
MARKS = tuple(mark for mark, _ in _MARKS)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error(MARK_ERRORS, _mark)


def find(path: Path, *, chosen: str | None = None) -> Encoding:
    """The encoding of a text file."""
    with path.open("rb") as file:
        head = file.read(GUESS_BYTES)
        by_mark = next((name for mark, name in _MARKS if head.startswith(mark)), None)
        if chosen is not None:
            return Encoding(_usable(chosen, by_mark), EncodingSource.CHOSEN)
        if by_mark:
            return Encoding(by_mark, EncodingSource.MARK)
        without_mark = utf16_without_mark(head)
        if without_mark:
            return Encoding(without_mark, EncodingSource.GUESSED)
        file.seek(0)
        if _is_utf8(file):
            return Encoding("utf-8", EncodingSource.VALID)
    return Encoding(_guess(head), EncodingSource.GUESSED)


def _usable(chosen: str, by_mark: str | None) -> str:
    try:
        "a".encode(chosen)
        name = codecs.lookup(chosen).name
    except (LookupError, UnicodeError, ValueError) as error:
        raise UnknownEncoding(f"“{chosen[:40]}” is not the name of a text encoding.") from error
    # A person who says UTF-8 or UTF-16 does not want to see the mark as a character.
    same_family = by_mark is not None and by_mark.startswith(name[:6])
    return by_mark if by_mark and same_family else name


def utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 of mostly Latin text is also valid UTF-8, with every other byte NUL; no other text looks so."""
    half = len(head) // 2
    if half == 0:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        while piece := file.read(_PIECE_BYTES):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess(head: bytes) -> str:
    sample = head if len(head) < GUESS_BYTES else head[: head.rfind(b"\n") + 1] or head
    if _is_nearly_utf8(sample):
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if (best is None or best.coherence < STRONG_COHERENCE) and _looks_western(sample):
        return "cp1252"
    if best is None:
        raise UnknownEncoding("The text is not UTF-8, and no other encoding fits it.")
    # Several encodings often give the same text; the one of Windows is then the likeliest beyond the sample too.
    return "cp1252" if "cp1252" in best.could_be_from_charset else best.encoding


def _looks_western(sample: bytes) -> bool:
    """Words of plain letters with an accent here and there, as in `größe`: what a few words give to go by.

    In other scripts, read as Windows' Western letters, whole words are accents, or there are signs that nobody writes.
    """
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    if any(not sign.isascii() and sign not in _WESTERN for sign in text):
        return False
    return all(len(word) == 1 or _has_few_accents(word) for word in _WORD.findall(text))


def _has_few_accents(word: str) -> bool:
    return any(map(str.isascii, word)) and not _ACCENTS_IN_A_ROW.search(word)


def _is_nearly_utf8(sample: bytes) -> bool:
    """Single broken bytes in UTF-8 text spoil their rows, not the reading of all others."""
    text = sample.decode("utf-8", MARK_ERRORS)
    num_broken = text.count(UNDECODABLE)
    num_whole = sum(not character.isascii() for character in text) - num_broken
    return num_whole >= 10 * num_broken
