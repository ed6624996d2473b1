"""What can go wrong with comparisons."""

from goldsmith.errors import Invalid, NotFound


class ComparisonNotFound(NotFound):
    """There is no comparison with this id."""

    title = "No such comparison"
    default_hint = "List the comparisons with: goldsmith compare list"


class CurveNotFound(NotFound):
    """There is no learning curve with this id."""

    title = "No such learning curve"
    default_hint = "List them with: goldsmith train curves"


class TooFewStars(Invalid):
    """A learning curve needs enough stars that a quarter of them teaches something."""

    title = "There are too few gold stars for a learning curve"
    default_hint = "Give more gold stars, and export the training set again."


class NoExam(Invalid):
    """There are no exam rows to compare on: nothing was held back from training."""

    title = "There is no exam"
    default_hint = "Give at least five gold stars and export again: some are then held back as the exam."


class DatasetWithoutAnswers(Invalid):
    """A dataset can be compared on only when one of its columns holds the right answers."""

    title = "The right answers are not known"
    default_hint = "Import the rows again and name the column that holds the good answers."


class ModelsNotComparable(Invalid):
    """These models cannot be put beside each other."""

    title = "These models cannot be compared"
    default_hint = "Name one fine-tuned model; its base model is compared with it."
