"""What can go wrong with models, their templates and the chats that are rendered for them."""

from goldsmith.errors import Conflict, Denied, Invalid, NotFound, Unavailable


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


class NotAPair(Invalid):
    """A row has no bad answer beside its good one, or none that could be written."""

    title = "This row is not a pair"
    default_hint = "Correct an answer, or mark another answer to the same row as bad; then export the stars again."


class RenderedTextTooLong(Invalid):
    """The rendered text is longer than any model could read."""

    title = "The text is too long"
    default_hint = "Shorten the row or the prompt."


class ControlWordInText(Invalid):
    """A text contains a word that tells the model who is speaking, so it could pretend to be somebody else."""

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


class ModelNameNotUsable(Invalid):
    """A model cannot be called so: the name would be taken for an id, a hub id or something else."""

    title = "This name cannot be used"
    default_hint = "Choose a name of letters, digits, spaces, dots and dashes, such as: support-base"


class ModelNameTaken(Conflict):
    """Another model has this name already, with other content."""

    title = "Another model has this name"
    default_hint = "Choose another name with --name, or in the field for the name."


class NoRoomForModel(Unavailable):
    """The disk has less room than the model takes."""

    title = "Too little room for the model"
    default_hint = "Free some room, or put the home elsewhere with GOLDSMITH_HOME; what was fetched so far is kept."


class ExportNotFound(NotFound):
    """The model has no such export, or its file was removed."""

    title = "No such export"
    default_hint = "Take the model out once more, on its page or with: goldsmith models export MODEL"


class ModelAtProvider(Conflict):
    """The model lives at a provider, and what was asked for needs its files."""

    title = "This model is not on this machine"
    default_hint = (
        "Ask it in a run or compare it; to have its files, train the same rows with a backend of this machine."
    )


class ModelNotWhole(Conflict):
    """The model's own files, or those of its base model, are not all there, so nothing can be made of them."""

    title = "This model cannot be taken out"
    default_hint = "Bring the base model's files once more, or train the model again."


class HubOffline(Unavailable):
    """A model hub is needed, and Goldsmith is set never to ask one."""

    title = "The model hub may not be asked"
    default_hint = (
        "Take GOLDSMITH_HUB_OFFLINE and HF_HUB_OFFLINE out of the environment and start Goldsmith again, or bring the "
        "model's folder: goldsmith models import FOLDER --name NAME"
    )


class HubAddressNotUsable(Invalid):
    """The address of the model hub in the environment is none."""

    title = "The model hub's address cannot be used"
    default_hint = "Set HF_ENDPOINT to the hub's address, or take it out of the environment."


class HubTokenNotUsable(Invalid):
    """There is no token for the model hub where one was to be kept, or it is none."""

    title = "The token cannot be used"
    default_hint = (
        "Make one on the hub's page for access tokens, and enter it; or pipe it in: goldsmith models token < FILE"
    )


class HubDoesNotAnswer(Unavailable):
    """The model hub could not be reached, broke off again and again, or answered with something else."""

    title = "The model hub does not answer"
    default_hint = (
        "Check the network and the proxy (HTTPS_PROXY), then start it again: what was fetched so far is kept. Without "
        "a network, bring the model's folder: goldsmith models import FOLDER --name NAME"
    )


class HubModelNotFound(NotFound):
    """The model hub knows no such model, or does not show it to everybody."""

    title = "The model hub has no such model"
    default_hint = (
        "Check the name: it stands in the address of the model's page, as ORG/NAME. For a private model keep a token "
        "with: goldsmith models token"
    )


class HubAccessDenied(Denied):
    """The model hub gives this model only to people who may have it."""

    title = "The model hub does not give this model"
    default_hint = "Ask its owner to let you in, make a token on the hub, and keep it with: goldsmith models token"


class HubFileDamaged(Unavailable):
    """A file came from the model hub with other content than the hub lists."""

    title = "A file of the model came damaged"
    default_hint = (
        "Start it again. If it happens again, something between here and the hub changes files: a mirror or a proxy."
    )
