"""Opening the server: for tests and programs (`SimulationServer`), and for the command line (`serve`)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from aiohttp import web

from maker_dsl.simulation.rates import Rates
from maker_dsl.simulation.server.application import create_app
from maker_dsl.simulation.server.grammars import Handling
from maker_dsl.task import Task

LOOPBACK = "127.0.0.1"


class SimulationServer:
    """An async context manager, used once: open inside, closed outside. Port 0 takes a free one.

    Raises PermanentError if the task lacks a reference, OSError if the port or the log cannot be opened.
    """

    def __init__(
        self,
        task: Task,
        rates: Rates,
        *,
        seed: int | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        log: Path | None = None,
        grammars: Handling = "ignore",
    ) -> None:
        self._host = host
        self._port = port
        self._app = create_app(task, rates, seed, log, grammars)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> SimulationServer:
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def port(self) -> int:
        """The port it listens on, once open."""
        return self._port

    @property
    def url(self) -> str:
        """The server's address, without a path and without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"


def serve(
    task: Task,
    rates: Rates,
    *,
    seed: int | None = None,
    host: str = LOOPBACK,
    port: int = 0,
    log: Path | None = None,
    grammars: Handling = "ignore",
    announce: Callable[[str], None],
) -> None:
    """Serve until terminated; `announce` gets the address once calls are taken.

    Returns on SIGTERM; Ctrl-C raises KeyboardInterrupt after the server has been closed. Raises as SimulationServer.
    """

    async def main() -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        async with SimulationServer(task, rates, seed=seed, host=host, port=port, log=log, grammars=grammars) as server:
            announce(server.url)
            await stopped.wait()

    asyncio.run(main())
