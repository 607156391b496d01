"""Kernels of a corpus for training, a part at a time.

Each sweep of a training is shown other kernels: of some of the networks, drawn at
random, a few hundred each, from a few row groups. Networks weigh the same, whatever
they have; of networks with the same kernels the first counts. Fine-tunings of one
parent, which `kernelviewer.latent.networks` finds among opened files, are networks of
their own here: to compare thousands in pairs would take longer than to train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.corpus.store import (
    REPAIR,
    WEIGHTS,
    CorpusError,
    Weights,
    library,
    partition,
)
from kernelviewer.latent.networks import Network
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from kernelviewer.corpus.store import Corpus
    from kernelviewer.kernels.bank import Size

AT_A_TIME = 128
"""Networks of which a sweep has kernels, at most."""


class KernelStream:
    """What `kernelviewer.latent.training.Training` draws from a corpus.

    Parameters
    ----------
    seed
        The same seed gives the same kernels.
    without
        Contents (`content_hash`) of networks that are held out.

    Raises
    ------
    CorpusError
        No network has kernels of the size that are not flat.
    """

    def __init__(
        self, corpus: Corpus, size: Size, seed: int = 0, without: Collection[str] = ()
    ) -> None:
        self._corpus, self._size, self._seed = corpus, size, seed
        self._key = "x".join(map(str, size))
        self._networks = [
            (network, counts)
            for network in corpus.networks
            if (counts := network.counts(self._key)) is not None
            and counts.kernels > counts.flat
            and not network.equal_to
            and network.content not in without
        ]
        if not self._networks:
            raise CorpusError(f"the corpus has no {self._key} kernels to train on")

    @property
    def kernels(self) -> int:
        """All that may be shown."""
        return sum(counts.kernels - counts.flat for _, counts in self._networks)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What an autoencoder's card says of what it was trained on."""
        return [
            {
                "name": shown(self._corpus.folder.name),
                "sha256": "",
                "recipe": self._corpus.recipe.key,
                "networks": len(self._networks),
                "kernels": self.kernels,
                "family": 0,
                "same": [],
            }
        ]

    def batch(self, number: int, kernels: int) -> list[Network]:
        """Some networks with some of their kernels; see `Supply`.

        Raises
        ------
        CorpusError
            A partition is missing or damaged.
        """
        random = np.random.default_rng((self._seed, number))
        count = min(AT_A_TIME, len(self._networks))
        chosen = random.choice(len(self._networks), count, replace=False)
        each = max(1, kernels // count)
        drawn = []
        for place in np.sort(chosen).tolist():
            network, _ = self._networks[place]
            patterns = self._draw(network.id, each, random)
            if len(patterns):
                layer = np.zeros(len(patterns), np.int32)
                own = -1 - place  # no family of opened networks, which count from 0
                drawn.append(
                    Network(network.name, network.sha256, patterns, layer, own)
                )
        return drawn

    def _draw(
        self, network: str, most: int, random: np.random.Generator
    ) -> NDArray[np.float32]:
        """At most so many patterns of a network, of as few row groups as hold them."""
        place = partition(self._corpus.folder, self._key, network) / WEIGHTS
        try:
            stored = Weights.at(place)
            parts: list[NDArray[np.float32]] = []
            for group in random.permutation(len(stored.ends)).tolist():
                values, table = stored.values(group)
                there = ~np.asarray(table.column("flat").to_numpy(), bool)
                parts.append(values[there].astype(np.float32))
                if sum(map(len, parts)) >= most:
                    break
        except (OSError, library("pyarrow").ArrowException) as error:
            raise CorpusError(f"{place} cannot be read ({error})", REPAIR) from error
        rows = np.concatenate(parts)
        if len(rows) > most:
            rows = rows[np.sort(random.choice(len(rows), most, replace=False))]
        return _unit(rows).reshape(-1, *self._size)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Patterns [n, taps] of kernels: mean 0 and length 1."""
    free = rows.astype(np.float64)
    free -= free.mean(axis=1, keepdims=True)
    length = np.linalg.norm(free, axis=1, keepdims=True)
    return np.asarray(free / np.where(length > 0, length, 1), np.float32)
