"""Telling a network's weights from everything else that training saves."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from kernelviewer.formats.dtypes import STORED

if TYPE_CHECKING:
    from kernelviewer.formats.leaves import Leaf

OPTIMIZER = "optimizer state"
STATISTICS = "running statistics of a normalisation layer"

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_BRANCHES = {
    OPTIMIZER: {
        *("optimizer", "optimizers", "optim", "optims", "optimiser", "opt"),
        *("momentum", "adam", "sgd"),
    },
    "scheduler state": {"scheduler", "schedulers", "sched", "lrscheduler"},
    "mixed-precision state": {"scaler", "scalers", "amp", "gradscaler"},
    "random number state": {"rng"},
    "training loop state": {"callbacks", "callback", "loops", "loop"},
    "settings": {"hyper", "hparams", "hyperparameters", "config", "cfg", "args"},
    "gradients": {"grad", "grads", "gradients"},
}
_BRANCH_OF_WORD = {word: role for role, words in _BRANCHES.items() for word in words}
_CLASSES = re.compile(r"optim|scheduler|gradscaler|\bloss\b", re.IGNORECASE)

_LAST = {
    **dict.fromkeys(
        ("running_mean", "running_var", "running_std", "num_batches_tracked"),
        STATISTICS,
    ),
    **dict.fromkeys(("moving_mean", "moving_variance", "moving_var"), STATISTICS),
    **dict.fromkeys(
        (
            *("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_avg_diff", "exp_inf"),
            *("momentum_buffer", "square_avg", "grad_avg", "acc_delta", "sum_square"),
            *("exp_avg_sq_row", "exp_avg_sq_col", "master_param", "slow_buffer"),
        ),
        OPTIMIZER,
    ),
    **dict.fromkeys(
        ("n_averaged", "num_updates", "decay", "ema_decay", "initted", "updates"),
        "bookkeeping of a moving average",
    ),
}
_OPTIMIZER_PREFIXES = ("optimizer.", "optimizer_state.", "optim.", "opt_state.")
_INTEGERS = {"int64", "int32", "int16", "uint64", "uint32", "uint16", "bool"}
_OF_TYPE = {
    **dict.fromkeys(STORED, ""),
    **dict.fromkeys(
        _INTEGERS, "whole numbers (indices, counters or a mask), no weights"
    ),
    **dict.fromkeys(
        ("complex64", "complex128"), "complex numbers, no weights of a convolution"
    ),
}


@lru_cache(maxsize=4096)
def branch_role(key: str) -> str:
    """Why what lies under a dictionary's key is no network; empty if it may be one."""
    for word in _WORDS.findall(key):
        role = _BRANCH_OF_WORD.get(word.lower())
        if role:
            return role
    return ""


def object_role(class_name: str) -> str:
    """Why an object of a class is no network; empty if it may be one."""
    found = _CLASSES.search(class_name)
    if not found:
        return ""
    kinds = {"optim": OPTIMIZER, "scheduler": "scheduler state", "loss": "a loss"}
    return kinds.get(found[0].lower(), "mixed-precision state")


def is_optimizer(keys: object) -> bool:
    """Whether a dictionary with these keys is an optimizer's state."""
    return isinstance(keys, dict) and "param_groups" in keys and "state" in keys


def leaf_role(leaf: Leaf) -> str:
    """Why an array is no weight of the network; empty if it may be one."""
    name = leaf.path[-1]
    role = _LAST.get(name[name.rfind(".") + 1 :])
    if role:
        return role
    if leaf.unusable:
        return leaf.unusable
    role = _OF_TYPE.get(leaf.dtype)
    if role:
        return role
    if role is None:
        return f"its number type, {leaf.dtype}, is not read"
    if name.startswith(_OPTIMIZER_PREFIXES):
        return OPTIMIZER
    if 0 in leaf.shape:
        return "it is empty"
    if not leaf.in_state_dict:
        if not leaf.shape:
            return "a single number beside the network"
        return branch_role(name)
    return ""
