"""The simulated model as an HTTP server that speaks the wire formats of real providers."""

from maker_dsl.simulation.server.application import create_app
from maker_dsl.simulation.server.serving import SimulationServer, serve

__all__ = ["SimulationServer", "create_app", "serve"]
