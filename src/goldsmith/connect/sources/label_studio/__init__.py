"""Projects of Label Studio: tasks and annotations come in as rows, answers go there as pre-annotations.

`options.py` is what a person fills in, `client.py` asks, `controls.py` and `tasks.py` understand, `predictions.py` says
what goes there, `source.py` puts it together.
"""

from typing import ClassVar

from goldsmith.connect.sources.label_studio.client import LabelStudio, refused_address
from goldsmith.connect.sources.label_studio.options import LabelStudioOptions
from goldsmith.connect.sources.label_studio.source import LabelStudioSource
from goldsmith.connect.sources.types import SourceOptions, Surroundings
from goldsmith.webhooks import addresses
from goldsmith.webhooks.addresses import Place
from goldsmith.webhooks.errors import AddressNotAllowed


class LabelStudioKind:
    """The kind."""

    name: ClassVar[str] = "label_studio"
    title: ClassVar[str] = "Label Studio"
    about: ClassVar[str] = "Tasks of a project, with what people annotated; answers of models go there to be looked at."
    Options: ClassVar[type[SourceOptions]] = LabelStudioOptions

    def open(self, options: LabelStudioOptions, surroundings: Surroundings) -> LabelStudioSource:
        """The project. Raises OptionsNotUsable."""

        def find() -> Place:
            try:
                return addresses.place_of(options.address, own_hosts=surroundings.own_hosts)
            except AddressNotAllowed as error:
                raise refused_address(error) from None

        find()
        studio = LabelStudio(find, options.token.get_secret_value(), options.project)
        return LabelStudioSource(studio, options)
