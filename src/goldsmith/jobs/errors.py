"""What can go wrong with jobs."""

from goldsmith.errors import Conflict, NotFound, Unavailable


class JobNotFound(NotFound):
    """There is no job with this id."""

    title = "No such job"
    default_hint = "List the jobs on the activity page, or with: goldsmith jobs list"


class MoveNotAllowed(Conflict):
    """A job in this state cannot go to that one."""

    title = "The job cannot do that now"
    default_hint = "Look at the job's state; a job that is over can be queued again."


class NotInLine(Conflict):
    """A job was to be moved in the line, and waits for no slot."""

    title = "The job stands in no line"
    default_hint = "Only what waits for the machine can be moved. See what does with: goldsmith train queue"


class LeaseLost(Conflict):
    """Another attempt of this job has been started, so this one may write nothing more."""

    title = "This attempt is out of date"
    default_hint = "Nothing to do: the newer attempt goes on."


class JobKindUnknown(Unavailable):
    """This version of Goldsmith does not know how to do this kind of job."""

    title = "Unknown kind of job"
    default_hint = "Start the version of Goldsmith that queued it."


class SupervisorRunning(Conflict):
    """A supervisor already watches over this home folder on this machine."""

    title = "A supervisor is already running"
    default_hint = "Use the one that runs, or stop it with: goldsmith down"


class ProgramMissing(Conflict):
    """The package of a plugin that a job's program belongs to is gone."""

    title = "A plugin is not installed"
    default_hint = "Install it again beside Goldsmith, then resume the job."


class JobFailed(Conflict):
    """A stage found out that its job cannot go on; `kind` names the reason for programs."""

    title = "The job cannot go on"
    default_hint = "Look at the job's log on the activity page."

    def __init__(self, message: str, *, hint: str | None = None, kind: str = "failed") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
