"""Why a whole file cannot be read; a single bad row is a `BadRow` instead, and never an error."""

from goldsmith.errors import Invalid


class UnreadableFile(Invalid):
    """The file cannot be read as rows."""

    title = "This file cannot be read"
    default_hint = "Use CSV, JSONL, Excel (.xlsx) or Parquet."


class EmptyFile(UnreadableFile):
    """There is nothing in the file."""

    title = "The file is empty"
    default_hint = "Choose a file with a header line and at least one row."


class OnlyHeader(UnreadableFile):
    """There are columns, but no rows."""

    title = "The file has a header, but no rows"
    default_hint = "Add at least one row below the header."


class NotText(UnreadableFile):
    """The bytes are those of another kind of file."""

    title = "This is not a text file"


class NotRows(UnreadableFile):
    """It is text, but not a list of rows."""

    title = "This file does not hold rows"
    default_hint = "Use one JSON object a line, a JSON list of objects, or CSV."


class UnknownEncoding(UnreadableFile):
    """Nobody can say how the text is encoded."""

    title = "The encoding of the text is not known"
    default_hint = "Save the file as UTF-8, or choose its encoding, for instance cp1252 or utf-16."


class UnknownDelimiter(UnreadableFile):
    """The chosen delimiter cannot separate values."""

    title = "This delimiter cannot be used"
    default_hint = "Choose comma, semicolon, tab or pipe."


class BadHeader(UnreadableFile):
    """The columns' names cannot be used."""

    title = "The column names cannot be used"
    default_hint = "Give every column a short name of its own in the first row."


class DuplicateColumns(BadHeader):
    """Two columns have the same name."""

    title = "Two columns have the same name"
    default_hint = "Rename one of them."


class TooManyColumns(BadHeader):
    """The file has more columns than anybody means to have."""

    title = "Too many columns"
    default_hint = "Keep the columns that are needed; perhaps the delimiter is another one."


class BrokenQuotes(UnreadableFile):
    """So many quotes are left open that the rows cannot be told apart."""

    title = "The quotes in this file do not fit together"
    default_hint = 'Write a quote inside a value twice (""), or export the file as JSONL.'


class FileTooLarge(UnreadableFile):
    """Reading it would take more memory than a file is allowed."""

    title = "This file is too large to be opened safely"
    default_hint = "Save the sheet as CSV: CSV files may have any size."


class UnknownSheet(UnreadableFile):
    """The workbook has no such sheet."""

    title = "There is no such sheet"
    default_hint = "Choose one of the sheets that the message names."


class BrokenFile(UnreadableFile):
    """The file says it is of this format, but its content does not hold together."""

    title = "The file is damaged"
    default_hint = "Export it again, or save it as CSV."


class ReaderNotInstalled(UnreadableFile):
    """The format is known, but the library that reads it is optional and not installed."""

    title = "This format needs an extra part"
    default_hint = "Run: pip install 'goldsmith[parquet]', or export the data as CSV or JSONL."
