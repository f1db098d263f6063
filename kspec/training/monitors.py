"""Monitors show the progress of training: to nobody, to a log, or on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Monitor(Protocol):
    """Receives each step; a context manager that is also left when training fails."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """A run of `epochs` epochs with `steps` steps each starts; `done` epochs are finished."""

    def step(self, *, epoch: int, step: int, loss: float) -> None:
        """A step is done; both counts start from 1, and the loss is the mean since the epoch
        began."""

    def epoch(self, *, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch is done, and its checkpoint is on the disk."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Do nothing."""

    def step(self, *, epoch: int, step: int, loss: float) -> None:
        """Do nothing."""

    def epoch(self, *, epoch: int, metrics: Mapping[str, float]) -> None:
        """Do nothing."""


class Lines(Silent):
    """Writes one plain line per epoch, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._epochs = 0

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Write one line with the amount of work."""
        self._epochs = epochs
        resumed = f", resumed after epoch {done}" if done else ""
        self._write(f"training {epochs} epochs of {steps} steps{resumed}")

    def epoch(self, *, epoch: int, metrics: Mapping[str, float]) -> None:
        """Write one line with all metrics."""
        self._write(f"epoch {epoch}/{self._epochs}  {spell_metrics(metrics)}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class Bar(Silent):
    """Shows a progress bar over all steps, with the metrics of the last epoch."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._steps = 0

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        self._progress = Progress(
            TextColumn("epoch"),
            MofNCompleteColumn(),
            BarColumn(),
            Remaining(),
            TextColumn("{task.fields[metrics]}"),
            console=Console(file=self._stream),
            transient=True,
        )
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Show the bar at the state of the run."""
        self._steps = steps
        if self._progress is not None:
            self._task = self._progress.add_task("", total=epochs, completed=done, metrics="")

    def step(self, *, epoch: int, step: int, loss: float) -> None:
        """Move the bar by one step."""
        if self._progress is not None and self._task is not None:
            done, text = epoch - 1 + step / self._steps, spell_metrics({"loss": loss})
            self._progress.update(self._task, completed=done, metrics=text)

    def epoch(self, *, epoch: int, metrics: Mapping[str, float]) -> None:
        """Show all metrics until the next step."""
        if self._progress is not None and self._task is not None:
            text = spell_metrics(metrics)
            self._progress.update(self._task, completed=epoch, metrics=text)


def monitor_for(stream: TextIO, *, quiet: bool = False) -> Monitor:
    """Return a monitor: a bar on a terminal, else lines; in quiet mode, nothing."""
    if quiet:
        return Silent()
    return Bar(stream) if stream.isatty() else Lines(stream)


def spell_metrics(metrics: Mapping[str, float]) -> str:
    """Return `loss 0.1234  val_loss 0.2345`, with four significant digits."""
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
