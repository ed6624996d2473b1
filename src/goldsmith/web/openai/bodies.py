"""What a caller of OpenAI's API may ask of a fine-tuning job, and what it means for a training here."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from goldsmith.train.recipe import ChatFile, ChatFiles, TrainRequest
from goldsmith.web.openai.errors import NotForTraining

Auto = Literal["auto"]
MetadataName = Annotated[str, Field(max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)]
FILE_SIGN = "file-"
USUAL_LEARNING_RATE = 5e-4
"""What OpenAI's multiplier is a multiple of here."""


class Body(BaseModel):
    """A name that is not known is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Hyperparameters(Body):
    """How to train; `auto` leaves it to the backend."""

    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] = "auto"
    batch_size: Auto | Annotated[int, Field(ge=1, le=512)] = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, le=100)] = "auto"


class PairHyperparameters(Hyperparameters):
    """How to learn from pairs or single marks."""

    beta: Auto | Annotated[float, Field(gt=0, le=2)] = "auto"
    """How strongly it is held near the base model."""


class Preferences(Body):
    """The parameters of learning from pairs (DPO) or single marks (KTO)."""

    hyperparameters: PairHyperparameters = PairHyperparameters()


class Supervised(Body):
    """The parameters of learning from examples."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(Body):
    """The way to train: from good answers, from pairs of a good and a bad one, or from each of them by itself."""

    type: Literal["supervised", "dpo", "kto"]
    """`kto` is not OpenAI's: of a training set it learns from single marks, of a file from both answers of a pair."""
    supervised: Supervised = Supervised()
    dpo: Preferences = Preferences()
    kto: Preferences = Preferences()


class NewFineTuning(Body):
    """A fine-tuning job that is asked for."""

    model: Annotated[str, Field(min_length=1, max_length=255)]
    """A base model: id, name or hub id."""
    training_file: Annotated[str, Field(min_length=1, max_length=255)]
    """An uploaded file of conversations (`file-…`), or a training set: its id (`set_…`) or its name."""
    hyperparameters: Hyperparameters | None = None
    method: Method | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """The name of the training."""
    validation_file: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """An uploaded file whose conversations are the exam; else a share of the training file is held back."""
    integrations: list[dict[str, Any]] | None = None
    metadata: Annotated[dict[MetadataName, MetadataValue], Field(max_length=16)] | None = None
    """Given back as it is."""
    backend: Annotated[str, Field(max_length=64)] | None = None
    """Not OpenAI's: which backend trains; default: what this server is set to."""

    def to_request(self, file_of: Callable[[str], ChatFile], *, backend: str = "trl") -> TrainRequest:
        """The training that is meant; `file_of` finds an uploaded file. Raises NotForTraining.

        `backend` trains where the body names none.
        """
        if self.integrations:
            raise NotForTraining("Nothing is reported to outside services.", hint="Leave integrations out.")
        files = self._files(file_of)
        return TrainRequest(
            base_model=self.model,
            backend=self.backend or backend,
            training_set=self.training_file if files is None else None,
            name=self.suffix,
            options={name: value for name, value in self._options().items() if value is not None},
            files=files,
            is_deployed=True,  # who trains through OpenAI's API asks the model next, and never deploys one
            labels=self.metadata or {},
        )

    def _files(self, file_of: Callable[[str], ChatFile]) -> ChatFiles | None:
        if self.training_file.startswith(FILE_SIGN):
            exam = file_of(self.validation_file) if self.validation_file is not None else None
            return ChatFiles(file_of(self.training_file), exam)
        if self.validation_file is not None:
            raise NotForTraining(
                "In a training set the exam is held back already, so no other file is taken for it.",
                hint="Leave validation_file out, or give an uploaded file as training_file too.",
            )
        return None

    def _options(self) -> dict[str, Any]:
        chosen = self._hyperparameters()
        multiplier = chosen.learning_rate_multiplier
        return {
            "num_epochs": None if chosen.n_epochs == "auto" else chosen.n_epochs,
            "batch_size": None if chosen.batch_size == "auto" else chosen.batch_size,
            "learning_rate": None if multiplier == "auto" else USUAL_LEARNING_RATE * multiplier,
            "seed": self.seed,
            **self._of_method(chosen),
        }

    def _hyperparameters(self) -> Hyperparameters:
        if self.method is None:
            return self.hyperparameters or Hyperparameters()
        chosen: Supervised | Preferences = getattr(self.method, self.method.type)
        return chosen.hyperparameters

    def _of_method(self, chosen: Hyperparameters) -> dict[str, Any]:
        if self.method is None or not isinstance(chosen, PairHyperparameters):
            return {}
        return {"method": self.method.type, "beta": None if chosen.beta == "auto" else chosen.beta}
