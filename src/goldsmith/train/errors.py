"""What can go wrong with trainings."""

from goldsmith.errors import Conflict, Invalid, NotFound


class TrainingNotFound(NotFound):
    """There is no training job with this id."""

    title = "No such training"
    default_hint = "List the trainings with: goldsmith train list"


class BackendUnknown(Invalid):
    """There is no training backend of this name."""

    title = "No such backend"
    default_hint = "Use one of the backends that the message lists."


class OptionsInvalid(Invalid):
    """A setting of the training is unknown, missing or out of its range."""

    title = "A setting of the training cannot be used"
    default_hint = "Change the setting that the message names, or leave it out."


class NoTrainingSet(Invalid):
    """A training needs a training set, and there is none yet."""

    title = "There is no training set"
    default_hint = "Give gold stars, then make a training set of them: goldsmith training-sets export"


class TrainingSetEmpty(Invalid):
    """The training set holds no rows to learn from."""

    title = "There is nothing to learn"
    default_hint = "Give gold stars to at least one answer, and export again."


class TrainingNotPossible(Conflict):
    """This machine cannot do this training; found out before anything started."""

    title = "This training cannot work here"
    default_hint = "Run: goldsmith doctor"
