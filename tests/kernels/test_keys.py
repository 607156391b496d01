"""Keys: approximation, search, files."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import ive

from kernelviewer.kernels.keys import (
    Keys,
    KeysError,
    approximate_kernels,
    read_keys,
    search_keys,
    write_keys,
)
from kernelviewer.latent.keys import published
from kernelviewer.watch import Watch

SIGMAS = (  # Lindeberg, Babaiee, Kiasari (JMIV 2026), table: σx, σy
    (0.644, 0.583), (0.586, 0.644), (0.690, 0.674), (0.756, 0.460),
    (1.107, 0.945), (0.900, 0.889), (0.675, 0.675), (0.609, 0.601),
)  # fmt: skip
COSINES = (0.837, 0.939, 0.910, 0.906, 0.946, 0.954, 0.997, 0.997)


def patterns(count: int, taps: int = 25, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, taps))
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def models() -> np.ndarray:
    """The eight models of the literature, rows down, written out here."""
    n = np.arange(-4, 5)
    made = []
    for number, (sigma_x, sigma_y) in enumerate(SIGMAS, start=1):
        across = ive(np.abs(n), sigma_x**2)
        down = ive(np.abs(n), sigma_y**2)
        t = np.outer(down, across)
        inner = t[1:-1, 1:-1]
        made.append(
            {
                1: t[:-2, 1:-1] - inner,
                2: t[1:-1, :-2] - inner,
                3: t[2:, 1:-1] - inner,
                4: t[1:-1, 2:] - inner,
                5: t[1:-1, 2:] - t[1:-1, :-2],
                6: t[:-2, 1:-1] - t[2:, 1:-1],
                7: np.outer(n[1:-1] == 0, n[1:-1] == 0)
                - 0.5256 * (t[:-2, 1:-1] + t[2:, 1:-1] + t[1:-1, :-2] + t[1:-1, 2:]
                            - 4 * inner),
                8: inner,
            }[number]
        )  # fmt: skip
    return np.stack(made)


def cosines(keys: np.ndarray) -> np.ndarray:
    rows = models().reshape(8, -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.einsum("ij,ij->i", rows, keys.reshape(8, -1))


def test_the_published_keys_lie_as_the_literature_has_them() -> None:
    found = cosines(published().patterns)
    assert found[[0, 1, 2, 3, 4, 5, 7]] == pytest.approx(
        np.array(COSINES)[[0, 1, 2, 3, 4, 5, 7]], abs=0.002
    )
    assert found[6] > 0.95


@pytest.mark.parametrize(
    ("turned", "wrong"),
    [
        (np.s_[:, ::-1, :], [0, 2, 5]),  # y up
        (np.s_[:, :, ::-1], [1, 3, 4]),  # left and right
    ],
)
def test_mirrored_keys_are_found_out(
    turned: tuple[slice, ...], wrong: list[int]
) -> None:
    found = cosines(np.ascontiguousarray(published().patterns[turned]))
    assert (found[wrong] < np.array(COSINES)[wrong] - 0.3).all()


def test_approximation_equals_the_formula() -> None:
    random = np.random.default_rng(1)
    weights = random.normal(3, 1, (60, 7, 7)).astype(np.float32)
    weights[7] = 2.5
    keys = published()
    found = approximate_kernels(weights, keys)
    for number, kernel in enumerate(weights.astype(float)):
        if number == 7:
            assert found.key[number] == -1
            assert np.isnan(found.r2[number])
            continue
        middle = kernel - kernel.mean()
        products = [float((middle * key).sum()) for key in keys.patterns]
        best = int(np.argmax(np.abs(products)))
        assert found.key[number] == best
        assert found.gain[number] == pytest.approx(products[best], abs=1e-4)
        share = products[best] ** 2 / (middle**2).sum()
        assert found.r2[number] == pytest.approx(share, abs=1e-4)
        made = products[best] * keys.patterns[best] + kernel.mean()
        assert found.kernels(keys)[number] == pytest.approx(made, abs=1e-4)


def test_off_shares_the_key_of_on() -> None:
    key = published().patterns[7:]
    found = approximate_kernels(np.concatenate([2 * key, -3 * key + 1]), published())
    assert found.key.tolist() == [7, 7]
    assert found.gain == pytest.approx([2, -3], abs=1e-5)
    assert found.r2 == pytest.approx([1, 1], abs=1e-5)


def test_keys_of_another_size_are_refused() -> None:
    with pytest.raises(KeysError, match="7×7"):
        approximate_kernels(np.zeros((2, 5, 5), np.float32), published())


def mean_r2(kernels: np.ndarray, keys: np.ndarray, weights: np.ndarray) -> float:
    best = ((kernels @ keys.T) ** 2).max(axis=1)
    return float((weights * best).sum() / weights.sum())


def test_the_search_adds_what_gains_most() -> None:
    kernels, candidates = patterns(300), patterns(600, seed=1)
    weights = np.random.default_rng(2).random(300).astype(np.float32)
    found = search_keys(kernels, candidates, 5, weights, exchange=False)
    chosen: list[int] = []
    for key, mean in zip(found.chosen, found.curve, strict=True):
        trials = [
            mean_r2(kernels, candidates[[*chosen, other]], weights)
            for other in range(len(candidates))
        ]
        assert key == int(np.argmax(trials))
        assert mean == pytest.approx(max(trials), abs=1e-5)
        chosen.append(key)


def test_exchange_ends_where_no_exchange_helps() -> None:
    kernels, candidates = patterns(40, taps=6), patterns(60, taps=6, seed=1)
    weights = np.ones(40, np.float32)
    found = search_keys(kernels, candidates, 3, weights)
    assert found.exchanges
    assert found.mean > found.curve[-1]
    for place in range(3):
        rest = [key for at, key in enumerate(found.chosen) if at != place]
        for other in range(len(candidates)):
            trial = mean_r2(kernels, candidates[[*rest, other]], weights)
            assert trial <= found.mean + 2e-5
    best = max(
        mean_r2(kernels, candidates[list(three)], weights)
        for three in combinations(range(60), 3)
    )
    assert found.mean > 0.97 * best


def test_no_candidate_is_taken_twice() -> None:
    kernels = np.eye(3, dtype=np.float32)[:1]
    found = search_keys(kernels, np.eye(3, dtype=np.float32), 3)
    assert sorted(found.chosen) == [0, 1, 2]
    assert found.curve == (1, 1, 1)


def test_weights_count() -> None:
    candidates = np.eye(2, dtype=np.float32)
    kernels = np.repeat(candidates, (10, 1), axis=0)
    assert search_keys(kernels, candidates, 1).chosen == (0,)
    weights = np.array([1.0] * 10 + [50.0], np.float32)
    assert search_keys(kernels, candidates, 1, weights).chosen == (1,)


def test_a_search_can_be_cancelled() -> None:
    class Enough(Watch):
        def check(self) -> None:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        search_keys(patterns(50), patterns(50, seed=1), 3, watch=Enough())


@pytest.mark.parametrize("size", [(7, 7), (1, 5), (9,), (3, 3, 3)])
def test_files_of_keys(size, tmp_path) -> None:
    random = np.random.default_rng(3)
    keys = Keys.of("some", random.normal(size=(4, *size)))
    write_keys(tmp_path / "keys.csv", keys, ["where they\nare from,=1+1"])
    found = read_keys(tmp_path / "keys.csv")
    assert found.patterns == pytest.approx(keys.patterns, abs=1e-6)
    written = (tmp_path / "keys.csv").read_text()
    assert written.startswith("# where they are from,'=1+1\n"), "no formula"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "first line"),
        ("a,b\n1,2\n", "first line"),
        ("key,row,column,value\n", "no keys"),
        ("key,row,column,value\n1,0,0,1\n1,0,0,2\n", "once"),
        ("key,row,column,value\n1,0,0,1\n1,1,1,2\n", "once"),
        ("key,row,column,value\n1,-1,0,1\n", "once"),
        ("key,row,column,value\n1,0,zero,1\n", "a row"),
        ("key,row,column,value\n1,0,0,nan\n1,0,1,1\n", "number"),
        ("key,row,column,value\n1,0,0,2\n1,0,1,2\n", "constant"),
        ("key,row,column,value\n1,0,0,1e99\n1,0,1,2\n", "not finite"),
        ("key,row,column,value\n1,0,0," + "1" * 200_000, "does not end"),
        ("key,row,column,value\n1,9999999999999,0,2\n1,0,1,2\n", "once"),
    ],
)
def test_files_that_are_no_keys(text: str, problem: str, tmp_path) -> None:
    (tmp_path / "keys.csv").write_text(text)
    with pytest.raises(KeysError, match=problem):
        read_keys(tmp_path / "keys.csv")


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(KeysError, match="cannot be read"):
        read_keys(tmp_path / "keys.csv")
