"""The dialog that lists a server's models, and tries the chosen one."""

from collections.abc import Sequence

import msgspec

from tui.app import background
from tui.app.backend import Setup
from tui.app.setup.picker import Picker
from tui.app.setup.rows import At, Row, facts
from tui.errors import Cancelled, LazychatError, ModelError
from tui.i18n import _, ngettext
from tui.models.discovery import ListedModel
from tui.models.setup import Kept, NoList, Place
from tui.turn import Cancellation


class Refused(msgspec.Struct, frozen=True):
    """The server needs a key, or another one."""

    place: Place
    why: str


class ServerScreen(Picker):
    """Returns `Kept` for the model that was added, `Refused`, or None for Esc."""

    def __init__(
        self,
        setup: Setup,
        place: Place,
        models: Sequence[ListedModel] | None = None,
        *,
        default: bool,
        model: str = "",
        asks: bool = True,
    ) -> None:
        """Show the `models` at `place`, or ask for them with `asks`.

        `default`: make the model that of new conversations. `model` is typed already.
        """
        keys = _("Enter try and use · Esc back")
        super().__init__(_("Models of {title}").format(title=place.title), keys, model)
        self._setup = setup
        self._place = place
        self._models = models
        self._default = default
        self._asking = asks and models is None
        self._cancel = Cancellation()
        self._trying = False

    @property
    def is_busy(self) -> bool:
        """Whether the list is still to come."""
        return self._asking

    def on_mount(self) -> None:
        """Show the models, or ask for them."""
        if self._asking:
            self.say(_("Asking {base_url}…").format(base_url=self._place.base_url))
            background.run("models", self._ask)
        else:
            self._show_models(self._models or ())

    def on_unmount(self) -> None:
        """Stop whatever is asked."""
        self._cancel.request()

    def _ask(self) -> None:
        try:
            models = self._setup.models_at(self._place, self._cancel)
        except NoList as error:
            self.call_later(self._show_models, (), str(error))
        except Cancelled:
            pass
        except ModelError as error:
            self.call_later(self._failed, str(error), error.kind)
        except LazychatError as error:
            self.call_later(self._failed, str(error), "")
        else:
            self.call_later(self._show_models, models)

    def _show_models(self, models: Sequence[ListedModel], why: str = "") -> None:
        self._asking = False
        place = self._place
        title = ngettext("{count} model", "{count} models", len(models)).format(
            count=len(models)
        )
        if any(model.price_in is not None for model in models):
            title += _(", $ per million tokens, prompt / answer")
        self.say(why or (title if models else _("It lists no models: type a name")))
        self.show(
            [
                Row(At(place, it.id), it.id, "", info)
                for it, info in zip(models, facts(models), strict=True)
            ]
        )

    def typed(self, text: str) -> list[Row]:
        """Return a row for a model that the server does not list."""
        name = text.strip()
        if any(row.name == name for row in self._rows) or not name.isprintable():
            return []
        return [Row(At(self._place, name), name, _("use this name"))] if name else []

    def choose(self, row: Row) -> None:
        """Try the model."""
        if self._trying or not isinstance(row.pick, At):
            return
        self._trying = True
        model = row.pick.model
        if not self._place.is_local:
            self.say(_("Trying {model}…").format(model=model))
        background.run("try", lambda: self._try(model))

    def _try(self, model: str) -> None:
        try:
            chosen = self._setup.model_at(self._place, model)
            if self._place.is_local:  # a try would have to load it
                self._setup.check_key(self._place, self._cancel)
            else:
                self._setup.try_model(chosen, self._cancel)
            kept = self._setup.keep(chosen, default=self._default)
        except Cancelled:
            pass
        except ModelError as error:
            self.call_later(self._failed, str(error), error.kind)
        except LazychatError as error:
            self.call_later(self._failed, str(error), "")
        else:
            self.call_later(self._done, kept)

    def _done(self, kept: Kept) -> None:
        if self.is_attached:
            self.dismiss(kept)

    def _failed(self, why: str, kind: str) -> None:
        if not self.is_attached:
            return
        self._trying = self._asking = False
        if kind in ("unauthorized", "missing_key") and self._place.key_env:
            self.dismiss(Refused(self._place, why))
        else:
            self.say(why, failed=True)
