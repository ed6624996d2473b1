"""What can go wrong with prompts, runs and answers."""

from goldsmith.errors import Conflict, Invalid, NotFound, Unavailable


class PromptNotFound(NotFound):
    """There is no prompt, or no wording of one, with this id or name."""

    title = "No such prompt"
    default_hint = "List the prompts with: goldsmith prompts list"


class RunNotFound(NotFound):
    """There is no run with this id."""

    title = "No such run"
    default_hint = "List the runs with: goldsmith runs list"


class AnswerNotFound(NotFound):
    """There is no answer with this id."""

    title = "No such answer"
    default_hint = "Open the run and choose one of its answers."


class PromptNotUsable(Invalid):
    """The template cannot be read: a variable is empty, not closed, or changed in a way that is not known."""

    title = "This prompt cannot be used as written"
    default_hint = "Write variables as {{column}}; one pair of braces alone is ordinary text."


class PromptVariableUnknown(Invalid):
    """The prompt names a column that the rows do not have."""

    title = "The prompt names a column that is not there"
    default_hint = "Use one of the columns that the message lists, or choose another dataset."


class RowNotAskable(Invalid):
    """With this row the prompt has nothing to ask."""

    title = "Nothing to ask"
    default_hint = "Fill the columns that the prompt uses, or leave the row out."


class AnswerSchemaNotUsable(Invalid):
    """The JSON schema of a prompt is not a valid one, or reaches outside itself."""

    title = "The answer's schema cannot be used"
    default_hint = "Give a JSON schema (draft 2020-12) that stands for itself."


class RunOptionsNotUsable(Invalid):
    """An option of a run is outside of what can work."""

    title = "This option cannot work"
    default_hint = "Use a value within the limits that the message names."


class NothingToRetry(Conflict):
    """No answer of the run has failed."""

    title = "Nothing to ask again"
    default_hint = "Start a new run to ask every row again."


class RunWithoutJob(Conflict):
    """The answers of this run came with a file or from the playground: there is nothing to stop or to go on with."""

    title = "Nothing is at work for this run"
    default_hint = "Look at its answers; they are complete."


class EngineGone(Unavailable):
    """The engine did not answer for so long that waiting makes no sense any more; finished rows are kept."""

    title = "The engine is gone"
    default_hint = "Look at the engine on the models page; when it is ready, resume the run: it goes on where it was."


class EngineKeyNotAccepted(Unavailable):
    """The engine or the provider refuses the key that is kept for it."""

    title = "The key is not accepted"
    default_hint = "Enter the key again; when it is right, resume the run: it goes on where it was."


class ModelNotAtProvider(Unavailable):
    """The provider answers, but has no model of this name, or no chats at this address; finished rows are kept."""

    title = "The provider does not have this model"
    default_hint = (
        "Compare the model's name and the address with the provider's list, and add it once more under settings."
    )


class TooManyForExcel(Invalid):
    """A sheet of Excel holds 1,048,576 rows and 16,384 columns, and the run has more."""

    title = "Too many answers for one Excel sheet"
    default_hint = "Take the answers as CSV or JSONL, which have no such limit."
