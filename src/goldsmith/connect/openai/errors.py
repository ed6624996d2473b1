"""What can go wrong when something is brought from OpenAI."""

from goldsmith.errors import Denied, Invalid, Unavailable


class AccountNotReached(Unavailable):
    """The service does not answer, or not as its documents say."""

    title = "The service does not answer"
    default_hint = "See whether the address is right and the machine may go there; then run it again: it goes on."


class AccountRefused(Denied):
    """The service does not accept the key, or the key may not read this."""

    title = "The service refuses the key"
    default_hint = "Make a key that may read files, fine-tuning jobs, evals and stored completions."


class NothingToBring(Invalid):
    """None of the files is one that OpenAI gives, or what belongs to them is missing."""

    title = "Nothing can be brought in"
    default_hint = "Bring training files, evals with their runs, batches with their answers, or stored completions."
