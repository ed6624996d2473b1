"""What a person fills in for a project of Label Studio."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field, SecretStr

from goldsmith.connect.sources.types import SourceOptions, TwoWayOptions

GOOD_ANSWER: Final = "good_answer"
"""The column of a row that holds its answer where that counts as good, and nothing where not."""


class Stars(StrEnum):
    """Which annotations are gold stars."""

    EVERY = "every_annotation"
    GROUND_TRUTH = "ground_truth"
    RATED = "by_rating"
    NONE = "none"


class _Project(SourceOptions):
    """Which project, and what of it is a gold star."""

    address: Annotated[str, Field(min_length=8, max_length=1024)]
    """Such as https://labels.example.org. A host of your own network has to be named in GOLDSMITH_WEBHOOK_HOSTS
    first."""
    project: Annotated[int, Field(ge=1, le=2**31 - 1)]
    """Its number, as it stands in the project's address: …/projects/7/data."""
    token: SecretStr
    """A personal access token, or a legacy token, of somebody who may open the project: Account & Settings in Label
    Studio. It is kept encrypted and never shown again."""
    answer_control: Annotated[str, Field(max_length=200, title="Control that holds the answer")] = ""
    """Its name in the labelling configuration. Left empty, the first TextArea is taken, or else the first Choices."""
    stars: Annotated[Stars, Field(title="Gold stars")] = Stars.EVERY
    """Every annotation that was submitted, those that are marked as ground truth, or by their rating, as below."""
    min_rating: Annotated[int, Field(ge=1, le=10, title="Rating from which it is a gold star")] = 4
    """Only for “by rating”: what the control of the kind Rating says."""


class LabelStudioOptions(TwoWayOptions, _Project):
    """The project, and what goes both ways."""

    answers_about: ClassVar[str] = (
        "Answers of a model become pre-annotations of their tasks; whoever works there sees and corrects them. A "
        "correction that was made here goes there, a bad answer does not."
    )

    @classmethod
    def place_names(cls) -> tuple[str, ...]:
        """The token is for this Label Studio."""
        return ("address",)

    @classmethod
    def good_answers(cls) -> str:
        """Its own column."""
        return GOOD_ANSWER
