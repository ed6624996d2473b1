"""What can go wrong with stars and training sets."""

from goldsmith.errors import Invalid


class ExampleDoesNotFit(Invalid):
    """An example cannot be written in the format of the training set."""

    title = "This example does not fit the format"
    default_hint = "Correct the answer or take its star away, or export in the format chatml, which holds any chat."
