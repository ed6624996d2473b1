"""What can go wrong with serving."""

from goldsmith.errors import Conflict, Invalid, NotFound, Unavailable


class EngineNotFound(NotFound):
    """There is no engine with this id, or none for this model."""

    title = "No such engine"
    default_hint = "See what there is with: goldsmith engines list"


class ProviderNotFound(NotFound):
    """There is no provider of this name, or several have it."""

    title = "No such provider"
    default_hint = "Add one under Settings, or take its id from: goldsmith engines list"


class ProviderGone(Conflict):
    """The model lives at a provider that is not used any more."""

    title = "The provider of this model was removed"
    default_hint = "Add the provider again under Settings, with the same address and the same model."


class DeploymentNotFound(NotFound):
    """The model is not deployed anywhere."""

    title = "The model is not deployed"
    default_hint = "Deploy it first: goldsmith models deploy MODEL"


class ReceiptNotFound(NotFound):
    """There is no receipt for this model yet."""

    title = "No receipt yet"
    default_hint = "Deploy the model; its receipt is made by itself soon after."


class NothingToUndo(Conflict):
    """The switch cannot be undone, because nothing stood there before."""

    title = "Nothing to go back to"
    default_hint = "Switch to the model that you want by its name."


class NotProved(Conflict):
    """Only a proved model may become the default."""

    title = "The model is not proved"
    default_hint = "Wait for its receipt, or look at why it was refused on the model's page."


class AliasNotFound(NotFound):
    """There is no alias of this name."""

    title = "No such alias"
    default_hint = "See what there is with: goldsmith aliases list"


class RolloutNotFound(NotFound):
    """There is no roll-out with this id, or none of this alias."""

    title = "No such roll-out"
    default_hint = "See what there is with: goldsmith aliases show NAME"


class RolloutRunning(Conflict):
    """An alias has one roll-out at a time."""

    title = "A roll-out is under way"
    default_hint = "Wait for its end, or roll it back."


class RolloutOver(Conflict):
    """The roll-out has ended, so it neither goes on nor back."""

    title = "The roll-out is over"
    default_hint = "Start another one, or undo the last change of the alias."


class RolloutNotPossible(Invalid):
    """The steps do not go up to 100 %, or nobody else answers for the alias."""

    title = "This cannot be rolled out"
    default_hint = "Choose a model with a smaller share of the alias, and steps that grow, such as 5, 25, 100."


class AliasExists(Conflict):
    """There is an alias of this name already."""

    title = "The alias exists"
    default_hint = "Change what it leads to on its page, or take another name."


class AliasNameNotUsable(Invalid):
    """An alias cannot have this name: a model has it, it is reserved, or it holds characters that are not allowed."""

    title = "The name cannot be used for an alias"
    default_hint = "Take small letters, digits, dots, dashes and underscores, 64 at most, and no name of a model."


class SharesNotUsable(Invalid):
    """The shares of an alias do not add up to 100 %, or a model is named twice."""

    title = "The shares cannot be used"
    default_hint = "Give each model more than 0 %, and 100 % in all."


class DefaultStays(Conflict):
    """The alias `default` is always there once it was set."""

    title = "The default cannot be removed"
    default_hint = "Switch it to another model instead."


class IsDefault(Conflict):
    """The model is what callers get who name none, so it cannot be taken away."""

    title = "The model is in use as an alias"
    default_hint = "Switch to another model first."


class RankNotServable(Invalid):
    """No engine takes an adapter of this rank, which is the adapter's size."""

    title = "The adapter's rank cannot be served"
    default_hint = "Train again with rank 8, 16, 32 or 64."


class NameNotServable(Invalid):
    """A URL or a name that was given for an engine cannot be used."""

    title = "This is no address of an engine"
    default_hint = "Give an address such as http://127.0.0.1:8000."


class NotOurs(Invalid):
    """Only engines that Goldsmith starts itself have copies, and a copy has none."""

    title = "This engine cannot be copied"
    default_hint = "Copies are made of engines that Goldsmith starts itself."


class WrongPlaces(Invalid):
    """A number of places for adapters that is not offered."""

    title = "This is no number of places"
    default_hint = "Give a number from 1 to 64: each place takes memory."


class TooManyCopies(Invalid):
    """A number of engines that is not offered."""

    title = "This is no number of engines"
    default_hint = "Give a number from 1 to 16."


class WeightsUnreadable(Invalid):
    """A file of weights is damaged, or is no safetensors file."""

    title = "Weights cannot be read"
    default_hint = "Train or import the model again."


class ProbeUnreadable(Invalid):
    """The rows that the training left in the model's folder to prove it are missing or damaged."""

    title = "The model cannot be proved"
    default_hint = "Train it again: every training leaves such rows, the probe, in the model's folder."


class EngineNotAnswering(Unavailable):
    """The engine cannot be reached, or does not answer in time."""

    title = "The engine does not answer"
    default_hint = "Look at its state and log on the models page; Goldsmith starts it again by itself."


class EngineFailed(Unavailable):
    """The engine answered that it met an error of its own."""

    title = "The engine failed"
    default_hint = "Look at the engine's log on the models page."


class EngineKeyRefused(Unavailable):
    """The engine does not accept the key that is kept for it."""

    title = "The engine refuses our key"
    default_hint = "Attach the engine again with its right key."


class EngineRefused(Invalid):
    """The engine says that the request can never succeed as written."""

    title = "The engine refuses the request"
    default_hint = "Change what the message names."


class ModelNotLoaded(NotFound):
    """The engine does not know a model of this name, or the folder with its adapter."""

    title = "The engine does not have this model"
    default_hint = "Deploy it first; after a restart of the engine it comes back by itself."


class AlreadyLoaded(Conflict):
    """The engine already has a model of this name; a name never gets other weights."""

    title = "Already loaded"
    default_hint = "Nothing to do."


class LoadNotProved(Unavailable):
    """The engine said that it loaded the model, but does not list it or gives no token from it."""

    title = "Loaded only in name"
    default_hint = "Deploy the model again; if it stays so, look at the engine's log."


class NoEngineForModel(Unavailable):
    """No engine has this model right now."""

    title = "The model is not live"
    default_hint = "Deploy it and wait until it is loaded."
