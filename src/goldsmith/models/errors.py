"""What can go wrong with models, their templates and the chats that are rendered for them."""

from goldsmith.errors import Denied, Invalid, NotFound, Unavailable


class ModelRefused(Invalid):
    """The files of this model are incomplete, damaged or of a kind that may not be loaded."""

    title = "This model cannot be taken"
    default_hint = "Use a folder with safetensors weights, config.json and tokenizer.json, or one GGUF file."


class TemplateNotUsable(Invalid):
    """The model's chat template does not give exact tokens for this chat."""

    title = "The chat template cannot be used"
    default_hint = "Choose another base model, or mend its chat_template.jinja."


class ChatNotUsable(Invalid):
    """The messages are not a chat that can be rendered."""

    title = "This is not a usable chat"
    default_hint = "Give messages with a role and a text; to learn from them, the last one is the assistant's."


class RenderedTextTooLong(Invalid):
    """The rendered text is longer than any model could read."""

    title = "The text is too long"
    default_hint = "Shorten the row or the prompt."


class ControlWordInText(Invalid):
    """A text contains a word that the model reads as a control token, so it could fake a turn of the chat."""

    title = "The text contains a control word of the model"
    default_hint = "Take the word out of the row, or leave the row out."

    def __init__(self, message: str, *, hint: str | None = None, token: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint)
        self.token = token
        self.where = where


class ModelNotFound(NotFound):
    """There is no base model or fine-tuned model with this id, name or hub id."""

    title = "No such model"
    default_hint = "List the models with: goldsmith models list"


class ModelNameAmbiguous(Invalid):
    """Several models have this name."""

    title = "Several models have this name"
    default_hint = "Use the model's id instead of its name."


class ModelNotFetched(Unavailable):
    """The package that carries the model could not be fetched from the package registry."""

    title = "The model could not be fetched"
    default_hint = "Check the network and pip's configuration, then start it again."


class PathNotAllowed(Denied):
    """A model may be imported from folders that the settings name, and from nowhere else."""

    title = "This folder may not be read"
    default_hint = "Name its parent folder in GOLDSMITH_IMPORT_ROOTS, or copy the model into your home folder."
