"""What can go wrong with trainings."""

from goldsmith.errors import Conflict, Invalid, NotFound


class TrainingNotFound(NotFound):
    """There is no training job with this id."""

    title = "No such training"
    default_hint = "List the trainings with: goldsmith train list"


class GroupNotFound(NotFound):
    """No group of trainings has this id."""

    title = "There is no such group of trainings"
    default_hint = "List them with: goldsmith train groups"


class NothingVaried(Invalid):
    """Several trainings were asked for, and what they are to differ in cannot be used."""

    title = "These are not several trainings"
    default_hint = "Give two values or more for at least one setting, such as learning_rate: 0.0002, 0.0005"


class RehearsalNotFound(NotFound):
    """No rehearsal has this id."""

    title = "There is no such rehearsal"
    default_hint = "Begin one on the page Train, or with: goldsmith train rehearse"


class BackendUnknown(Invalid):
    """There is no training backend of this name."""

    title = "No such backend"
    default_hint = "Use one of the backends that the message lists."


class GpuUnknown(Invalid):
    """A GPU was chosen that this machine does not have."""

    title = "There is no such GPU"
    default_hint = "Leave the GPU out, and the training takes the one that is free first."


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


class NothingToKeep(Conflict):
    """A training was to end and keep its best, and has not done a step yet."""

    title = "There is nothing to keep yet"
    default_hint = "Wait for the first step, or cancel the training."


class TrainingNotPossible(Conflict):
    """This machine cannot do this training; found out before anything started."""

    title = "This training cannot work here"
    default_hint = "Run: goldsmith doctor"


class NothingToLearn(Invalid):
    """Not one row of the training set can be learned with this base model and limit."""

    title = "Not one row can be learned"
    default_hint = "See why each row is left out: goldsmith train look"


class OnlyOneKind(Invalid):
    """Single marks were to be learned from, and all answers that can be learned are good, or all are bad."""

    title = "There is only one kind of answer"
    default_hint = (
        "Learn from good answers alone with the method sft, or mark bad answers and make the training set anew. "
        "What is left out and why: goldsmith train look --method kto"
    )


class ModelNeverStops(Invalid):
    """No engine stops at the end marker that the base model's template writes, so its answers would run on."""

    title = "This model would never stop"
    default_hint = "Add the marker's id to eos_token_id in the model's generation_config.json, or choose another model."


class NotRepeatable(Conflict):
    """A training that cannot be repeated as it was."""

    title = "This training cannot be repeated exactly"
    default_hint = "Start a new one with the same training set and settings."
