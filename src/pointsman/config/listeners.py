"""``listeners``: where clients connect."""

from pydantic import Field

from pointsman.config.base import Name, Part, Port, Seconds


class Listener(Part):
    """One address on which the gateway accepts client connections."""

    name: Name = Field("http", description="Label of the listener in logs and statistics.")
    address: str = Field(
        "127.0.0.1",
        min_length=1,
        description="IP address to bind; loopback by default so that nothing is exposed by accident.",
    )
    port: Port = Field(
        8801, description="TCP port to bind; 8801 is where local semantic-router setups listen."
    )
    timeout: Seconds = Field(
        300.0, description="Longest time a whole request may take, seconds; long answers need minutes."
    )
