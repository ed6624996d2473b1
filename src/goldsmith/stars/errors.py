"""What can go wrong with stars and training sets."""

from goldsmith.errors import Conflict, Invalid, NotFound


class ExampleDoesNotFit(Invalid):
    """An example cannot be written in the format of the training set."""

    title = "This example does not fit the format"
    default_hint = "Correct the answer or take its star away, or export in the format chatml, which holds any chat."


class MarkNotPossible(Invalid):
    """A mark without what it needs: a correction without text, or a star for an answer that is not there."""

    title = "This mark is not possible"
    default_hint = "Write what the model should have said as a correction; it gets the star."


class StarConflict(Conflict):
    """Somebody else has marked the answer since the caller looked at it."""

    title = "Somebody else has marked this answer"
    default_hint = "Look at the answer again; then mark it, or leave it as it is now."


class NoMarkToUndo(Conflict):
    """The answer has no mark that is still in force."""

    title = "Nothing to undo"
    default_hint = "Nothing to do: the answer stands as the model wrote it."


class NoStars(Invalid):
    """There is no star that could be exported."""

    title = "There are no gold stars yet"
    default_hint = "Open a run and give stars to good answers, or correct some; then export again."


class ExportNotPossible(Invalid):
    """An option of the export is outside of what can work."""

    title = "This export cannot work"
    default_hint = "Use a value within the limits that the message names."


class TrainingSetNotFound(NotFound):
    """There is no training set with this id or name."""

    title = "No such training set"
    default_hint = "List the training sets with: goldsmith training-sets list"


class NoAnswerColumn(Invalid):
    """The dataset does not say which column holds good answers, or which one asks."""

    title = "It is not clear what asks and what answers"
    default_hint = "Choose the column with the answers when importing, and a prompt that names the question's column."
