"""The root of the document."""

from typing import Any, Literal

from pydantic import Field, PrivateAttr

from pointsman.config.base import Part
from pointsman.config.credentials import scrub
from pointsman.config.fleet import Fleet
from pointsman.config.gateway import Gateway
from pointsman.config.guards import Guards
from pointsman.config.integrations import Integrations
from pointsman.config.listeners import Listener
from pointsman.config.model_catalog import ModelCatalog
from pointsman.config.providers import Providers
from pointsman.config.router import Router
from pointsman.config.routing import Entrypoint, Recipe, Routing
from pointsman.config.services import Services
from pointsman.config.stores import Stores
from pointsman.core.decision import Strategy


class Global(Part):
    """Settings shared by all recipes."""

    router: Router = Field(default_factory=Router, description="How routing behaves as a whole.")
    services: Services = Field(default_factory=Services, description="APIs, observability, identity, limits.")
    stores: Stores = Field(default_factory=Stores, description="Everything that remembers.")
    integrations: Integrations = Field(
        default_factory=Integrations, description="Tools and calls of our own."
    )
    model_catalog: ModelCatalog = Field(
        default_factory=ModelCatalog, description="Models that observe requests."
    )


class Settings(Part):
    """A whole document, checked: immutable, complete with defaults, free of I/O."""

    version: Literal["v0.3"] = Field(description="Version of the document's format.")
    listeners: tuple[Listener, ...] = Field((), description="Where clients connect.")
    providers: Providers = Field(
        default_factory=Providers, description="Models that answer, and where they run."
    )
    routing: Routing = Field(default_factory=Routing, description="Which model a request should go to.")
    entrypoints: tuple[Entrypoint, ...] = Field((), description="Virtual model names that lead to recipes.")
    recipes: tuple[Recipe, ...] = Field((), description="Further routing documents under names.")
    global_: Global = Field(
        default_factory=Global, alias="global", description="Settings shared by all recipes."
    )
    guards: Guards = Field(default_factory=Guards, description="Checks of every request; off unless written.")
    fleet: Fleet = Field(default_factory=Fleet, description="How requests spread over replicas.")
    gateway: Gateway = Field(default_factory=Gateway, description="Our own limits and the Envoy we run.")

    _secrets: frozenset[str] = PrivateAttr(frozenset())
    _era: str = PrivateAttr("")

    def model_post_init(self, context: Any, /) -> None:
        """Remember which values came from credential variables, and the shape the document was written in."""
        if isinstance(context, dict):
            self._secrets = frozenset(context.get("secrets", ()))
            self._era = str(context.get("era", ""))

    @property
    def secrets(self) -> frozenset[str]:
        """Values that came from credential variables of the environment; never to be shown."""
        return self._secrets

    @property
    def era(self) -> str:
        """The flat shape this was migrated from while loading; empty for a v0.3 document."""
        return self._era

    def __repr__(self) -> str:
        return scrub(super().__repr__(), self._secrets)

    def __str__(self) -> str:
        return scrub(super().__str__(), self._secrets)

    def strategy(self, routing: Routing | None = None) -> Strategy:
        """What ranks first among matched decisions of ``routing`` (the top-level one by default)."""
        return (routing or self.routing).strategy or self.global_.router.strategy
