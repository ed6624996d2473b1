"""What can go wrong with OpenAI's addresses beyond what goes wrong with trainings."""

from goldsmith.errors import Invalid


class NotForTraining(Invalid):
    """The request asks for something that a training here does not take."""

    title = "Not taken for a training"
    default_hint = (
        "Import the file on the page Data, make a training set with POST /v1/fine-tuning/datasets/export, and give its "
        "id (set_…) as training_file."
    )
