"""What can go wrong with batches, beyond what is wrong with their files and is told in the batch itself."""

from goldsmith.errors import Conflict, Invalid, NotFound


class BatchNotFound(NotFound):
    """There is no batch with this id."""

    title = "No such batch"
    default_hint = "List the batches with: goldsmith batches list"


class BatchNotUsable(Invalid):
    """The batch asks for something that no batch can do."""

    title = "This batch cannot work"
    default_hint = "Upload a file of requests with the purpose batch, and give its id as input_file_id."


class BatchIsOver(Conflict):
    """The batch has come so far that nothing is left to be cancelled."""

    title = "The batch is over"
    default_hint = "Take its output and error files; start a new batch for what is missing."
