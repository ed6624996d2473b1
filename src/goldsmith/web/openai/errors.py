"""What can go wrong with OpenAI's addresses beyond what goes wrong with trainings."""

from goldsmith.errors import Invalid, NotFound, Unavailable


class NotForTraining(Invalid):
    """The request asks for something that a training here does not take."""

    title = "Not taken for a training"
    default_hint = (
        "Give the id of a file that was uploaded with the purpose fine-tune, or of a training set (set_…), as "
        "training_file."
    )


class StoredFileNotFound(NotFound):
    """There is no uploaded file with this id."""

    title = "No such file"
    default_hint = "List the files with: GET /v1/files"


class StoredBytesMissing(Unavailable):
    """The file is listed, but its bytes are not in the home folder any more."""

    title = "The file's bytes are gone"
    default_hint = "Upload the file again."
