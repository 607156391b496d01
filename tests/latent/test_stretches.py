"""Stretches and the edits a user makes to them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from kernelviewer.kernels.classes import CLASSES, FINE, INDEX, PAPER
from kernelviewer.latent import LatentError
from kernelviewer.latent.curve import Codes
from kernelviewer.latent.labels import label
from kernelviewer.latent.stretches import (
    NARROWEST,
    Stretch,
    check_stretches,
    from_json,
    merge,
    move_border,
    rename,
    same_names,
    split,
    stretch_at,
    stretch_of,
    stretches_from_path,
    to_json,
)

THREE = (
    Stretch(0.0, 0.2, "on-centre", 1, 0.9),
    Stretch(0.2, 0.7, "d1-x", -1, 0.8),
    Stretch(0.7, 1.0, "off-centre", -1, 0.95),
)


def test_codes_find_their_stretch() -> None:
    codes = np.array([0.0, 0.19, 0.2, 0.69, 0.7, 1.0])
    assert stretch_of(THREE, codes).tolist() == [0, 0, 1, 1, 2, 2]
    assert stretch_at(THREE, 0.5) == 1


def test_a_border_moves_and_keeps_the_rest() -> None:
    moved = move_border(THREE, 0, 0.3)
    assert [item.high for item in moved] == [0.3, 0.7, 1.0]
    assert moved[1].low == 0.3
    assert moved[2] is THREE[2]
    assert check_stretches(moved) == moved


def test_a_border_stops_short_of_its_neighbours() -> None:
    for code, high in ((-5.0, NARROWEST), (5.0, 0.7 - NARROWEST)):
        moved = move_border(THREE, 0, code)
        assert moved[0].high == pytest.approx(high, abs=1e-6)
        check_stretches(moved)


@pytest.mark.parametrize("index", [-1, 2, 9])
def test_there_are_only_borders_between_stretches(index: int) -> None:
    with pytest.raises(LatentError, match="there is no border"):
        move_border(THREE, index, 0.5)
    with pytest.raises(LatentError, match="there is no border"):
        merge(THREE, index)


def test_another_class_drops_what_held_for_the_old_one() -> None:
    named = rename(THREE, 1, "d2-x")
    assert named[1].class_id == "d2-x"
    assert named[1].sign == 0
    assert math.isnan(named[1].family_cosine)
    assert rename(THREE, 1, "d1-x") == THREE


def test_a_fine_class_that_somebody_chose_is_shown_and_kept() -> None:
    named = rename(THREE, 1, "on-disc", "", scheme=FINE)
    assert named[1].label == "On-disc"
    again = from_json(json.loads(json.dumps(to_json(named))))
    assert [item.label for item in again] == [item.label for item in named]
    assert not same_names(again, THREE)
    code = np.array([(THREE[1].low + THREE[1].high) / 2], np.float32)
    labels = label(Codes(code, np.ones(1, np.float32)), again, 0.5)
    assert CLASSES[labels.class_index[0]].id == "on-disc"
    plain = rename(THREE, 1, "on-disc")
    assert plain[1].label == "On-centre", "the paper's words, as before"
    joined = merge(named, 0, like=1)
    assert (joined[0].label, joined[0].low) == ("On-disc", THREE[0].low)


def test_a_stretch_can_have_a_name_of_its_own() -> None:
    named = rename(THREE, 1, name="  edges \n falling ")
    assert named[1].label == "edges falling"
    assert named[1].family_cosine == 0.8
    assert THREE[1].label == "First derivative ∂x"
    assert rename(named, 1, name="")[1] == THREE[1]


def test_a_stretch_cannot_have_a_class_that_is_none() -> None:
    with pytest.raises(LatentError, match="there is no class 'blob'"):
        rename(THREE, 0, "blob")


def test_split_and_merge_undo_each_other() -> None:
    parts = split(THREE, 0.4)
    assert [item.class_id for item in parts] == [
        "on-centre",
        "d1-x",
        "d1-x",
        "off-centre",
    ]
    assert parts[1].high == parts[2].low == 0.4
    assert merge(parts, 1) == THREE


def test_the_upper_part_of_a_split_may_get_another_class() -> None:
    parts = split(THREE, 0.4, "on-cross")
    assert [item.class_id for item in parts][1:3] == ["d1-x", "on-cross"]
    check_stretches(parts)


def test_there_must_be_room_for_a_split() -> None:
    for code in (0.2, 0.2 + NARROWEST / 2, 0.0, 1.0):
        with pytest.raises(LatentError, match="there is no room"):
            split(THREE, code)


def test_the_longer_stretch_gives_its_name_to_both() -> None:
    joined = merge(THREE, 0)
    assert joined[0] == Stretch(0.0, 0.7, "d1-x", -1, 0.8)
    assert len(joined) == 2


def test_stretches_have_to_cover_the_axis() -> None:
    for wrong in ((), THREE[1:], THREE[:-1], (THREE[0], THREE[2]), THREE[::-1]):
        with pytest.raises(LatentError, match="without gaps"):
            check_stretches(wrong)


def test_they_come_back_from_json() -> None:
    some = rename(rename(THREE, 1, "d2-xy"), 0, name="dots")
    again = from_json(json.loads(json.dumps(to_json(some))))
    assert again[0] == some[0]
    assert again[2] == some[2]
    assert again[1].class_id == "d2-xy"
    assert math.isnan(again[1].family_cosine)


@pytest.mark.parametrize(
    ("class_id", "sign", "fine", "paper"),
    [
        ("on-disc", 1, "on-disc", "on-centre"),
        ("on-ring", 1, "on-ring", "off-centre"),
        ("edge-d", -1, "edge-d", "d1-x"),
        ("on-centre", 1, "on-centre", "on-centre"),
        ("d1-y", -1, "edge-y", "d1-y"),
        ("d2-x", 1, "on-bar-v", "d2-x"),
        ("d2-y", -1, "off-bar-h", "d2-y"),
        ("d2-xy", 0, "saddle", "d2-xy"),
        ("checker", 1, "checker", "unidentified"),
        ("unidentified", 0, "unidentified", "unidentified"),
    ],
)
def test_a_stretch_has_its_name_in_both_schemes(
    class_id: str, sign: int, fine: str, paper: str
) -> None:
    item = Stretch(0.0, 1.0, class_id, sign)
    assert CLASSES[item.index_in(FINE)].id == fine
    assert CLASSES[item.index_in(PAPER)].id == paper
    assert item.class_index == item.index_in(PAPER)


def test_a_path_becomes_stretches_with_their_cosines() -> None:
    disc, edge = INDEX["on-disc"], INDEX["edge-x"]
    path = np.array([disc] * 60 + [edge] * 40)
    cosine = np.zeros((100, len(FINE.patterns)), np.float32)
    cosine[:60, disc], cosine[60:, edge] = 0.75, 0.5
    sign = np.array([1] * 60 + [-1] * 40)
    first, second = stretches_from_path(path, cosine, sign)
    assert (first.low, second.high) == (0.0, 1.0)
    assert first.high == second.low == pytest.approx(59.5 / 99, abs=1e-6)
    assert (first.class_id, second.class_id) == ("on-disc", "edge-x")
    assert (first.sign, second.sign) == (1, -1)
    assert (first.family_cosine, second.family_cosine) == (0.75, 0.5)
    assert first.class_index == INDEX["on-centre"]
