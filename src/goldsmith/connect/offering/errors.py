"""What can go wrong when answers are offered to a source."""

from goldsmith.errors import Invalid


class NotOfferable(Invalid):
    """The source takes no answers, or not those of this run."""

    title = "These answers cannot be offered there"
    default_hint = "Offer the answers that a model wrote, in a run over the dataset of this source."
