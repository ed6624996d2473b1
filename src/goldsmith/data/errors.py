"""What can go wrong with datasets; files that cannot be read have their errors in `readers/errors.py`."""

from goldsmith.errors import Conflict, Invalid, NotFound


class DatasetNotFound(NotFound):
    """There is no dataset, version or row with this id."""

    title = "No such dataset"
    default_hint = "List the datasets with: goldsmith data list"


class DatasetNotReady(Conflict):
    """The import of this version has not ended, or it failed."""

    title = "This dataset is not complete"
    default_hint = "Wait for the import to end, or look at why it failed on the activity page."


class ColumnUnknown(Invalid):
    """A column was named that the file does not have."""

    title = "No such column"
    default_hint = "Use one of the columns that the message lists."


class UploadTooLarge(Invalid):
    """The file is larger than the limit for uploads."""

    title = "The file is too large"
    default_hint = "Split it, or import it from the command line on the machine itself."


class NoGoodRows(Invalid):
    """Not one row of the file could be taken."""

    title = "No row could be taken"
    default_hint = "The list of bad rows says why; mend the file and import it again."


class TooMuchMemory(Invalid):
    """Reading the file takes more memory than an import may have."""

    title = "The file takes too much memory"
    default_hint = "Save it as CSV or JSONL, which are read row by row, or split it."


class UploadNotFound(NotFound):
    """There is no kept upload with this hash."""

    title = "This file was not uploaded"
    default_hint = "Send the file itself."


class UploadNotOpen(Conflict):
    """The upload in parts is completed, was given up, or was left alone for more than an hour."""

    title = "This upload takes nothing more"
    default_hint = "Begin another one with: POST /v1/uploads"


class UploadNotWhole(Invalid):
    """The parts that were named do not make the file that was announced."""

    title = "The parts are not the whole file"
    default_hint = "Send what is missing, and name every part once, in the order of the file."
