"""How a long piece of work tells how far it is, and how it is ended."""

from __future__ import annotations


class Watch:
    """The follower of a piece of work, which may end it.

    This one neither follows nor ends. Others raise in `check`, and show what `progress`
    tells; both are called on the thread that works, maybe on several.
    """

    def check(self) -> None:
        """Raise to end the work. Called between pieces of it, so it must be cheap.

        What it raises is best no `Exception`: libraries in between may swallow those.
        """

    def progress(self, done: int, total: int, text: str = "") -> None:
        """Take note that ``done`` of ``total`` units are finished, and check.

        Parameters
        ----------
        done, total
            Counted in whatever the work consists of; ``total`` 0: not known.
        text
            What is done now, for people.
        """
        self.check()

    def quiet(self) -> Watch:
        """A watch that ends the work as this one does, but is told no progress.

        For a part of the work whose own count would only confuse.
        """
        return _Part(self)

    def saying(self, text: str) -> Watch:
        """A watch that hears a text of the caller's with each progress."""
        return _Saying(self, text)


class _Part(Watch):
    def __init__(self, whole: Watch) -> None:
        self._whole = whole

    def check(self) -> None:
        self._whole.check()


class _Saying(_Part):
    def __init__(self, whole: Watch, text: str) -> None:
        super().__init__(whole)
        self._text = text

    def progress(self, done: int, total: int, text: str = "") -> None:
        self._whole.progress(done, total, self._text)


NEVER = Watch()
"""Nobody follows, and nothing ends the work: the default everywhere."""
