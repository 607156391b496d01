"""Jobs by what they are asked for; only the one asked last answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from kernelviewer.gui.jobs import Jobs, Reaction
    from kernelviewer.jobs.runner import Lane, Ticket

K = TypeVar("K", bound="Hashable")
P = ParamSpec("P")


class Requests(Generic[K]):
    """What runs for whom, told apart by ticket.

    A job that was stopped says so late, when another may already run for the same key;
    it is not heard then.

    Parameters
    ----------
    jobs
        Run them.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._running: dict[K, tuple[Ticket, object]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._running

    def keys(self) -> frozenset[K]:
        """What has been asked for and not answered yet."""
        return frozenset(self._running)

    def forget(self, key: K) -> None:
        """Take no answer any more."""
        self._running.pop(key, None)

    def keep(self, wanted: Mapping[K, object]) -> None:
        """Stop what nobody wants: other keys, and keys that mean another object now."""
        for key, (ticket, subject) in list(self._running.items()):
            if wanted.get(key) is not subject:
                del self._running[key]
                ticket.cancel()

    def submit(
        self,
        key: K,
        subject: object,
        lane: Lane,
        name: str,
        title: str,
        reaction: Reaction,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Run a task for ``key``, which means ``subject`` now; the rest as in `Jobs`.

        It counts as running until its result has been used.
        """

        def is_current() -> bool:
            return self._running.get(key, (None,))[0] is ticket

        def done(value: Any) -> str | None:
            try:
                return reaction.done(value) if is_current() else None
            finally:
                if is_current():
                    self.forget(key)

        def ended(call: Callable[..., None]) -> Callable[..., None]:
            def call_if_current(*given: str) -> None:
                if is_current():
                    self.forget(key)
                    call(*given)

            return call_if_current

        answer = replace(
            reaction,
            done=done,
            failed=ended(reaction.failed),
            stopped=ended(reaction.stopped),
        )
        ticket = self._jobs.submit(lane, name, title, answer, task, *args, **kwargs)
        self._running[key] = ticket, subject
