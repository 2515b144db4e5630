"""A simulated vLLM engine: the same API, metrics and names on the wire, no model behind them.

`running(SimSettings(model="tiny"))` serves one inside the caller's event loop; `build_app` gives the
aiohttp application alone. On the command line it is `pointsman sim`.
"""

from pointsman.sim.app import build_app
from pointsman.sim.engine import Clock
from pointsman.sim.faults import Fault, FaultBoard, FaultKind, FaultSpecError, known_faults, parse_fault
from pointsman.sim.kv_publisher import KvEventsError
from pointsman.sim.listener import PortInUseError
from pointsman.sim.serve import RunningSim, replicas, running, serve
from pointsman.sim.settings import KvEventsSettings, SimSettings
from pointsman.sim.state import SimState

__all__ = [
    "Clock",
    "Fault",
    "FaultBoard",
    "FaultKind",
    "FaultSpecError",
    "KvEventsError",
    "KvEventsSettings",
    "PortInUseError",
    "RunningSim",
    "SimSettings",
    "SimState",
    "build_app",
    "known_faults",
    "parse_fault",
    "replicas",
    "running",
    "serve",
]
