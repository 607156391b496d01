"""Telling a network's weights from everything else that training saves."""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import COMPLEX, EMPTY, WHOLE_NUMBERS
from kernelviewer.formats.stored import STORED

if TYPE_CHECKING:
    from kernelviewer.formats.stored import Leaf


OPTIMIZER = "optimizer state"
STATISTICS = "running statistics of a normalisation layer"
ZERO_POINT = "zero point of a quantised layer"
WHOLE_BIAS = "bias of a quantised layer, in whole numbers"

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SCHEDULER = "scheduler state"
_SCALER = "mixed-precision state"
_RANDOM = "random number state"
_GRADIENTS = "gradients"
_MOST_DIMENSIONS = {_SCHEDULER: 1, _SCALER: 0, _RANDOM: 1}
"""Dimensions of the arrays in such states; with more they only share the name."""
_BRANCHES = {
    OPTIMIZER: {
        *("optimizer", "optimizers", "optim", "optims", "optimiser", "opt"),
        *("adam", "sgd"),
    },
    _SCHEDULER: {"scheduler", "schedulers", "sched", "lrscheduler"},
    _SCALER: {"scaler", "scalers", "amp", "gradscaler"},
    _RANDOM: {"rng"},
    "training loop state": {"callbacks", "callback", "loops", "loop"},
    "settings": {"hyper", "hparams", "hyperparameters", "config", "cfg", "args"},
    _GRADIENTS: {"grad", "grads", "gradients"},
}
_BRANCH_OF_WORD = {word: role for role, words in _BRANCHES.items() for word in words}
_WHOLE = {"momentum", "velocity", "exp_avg", "exp_avg_sq", "momentum_buffer"}
_CLASSES = (
    (re.compile(r"\boptim(izers?)?\.|Optimi[sz]er$|OptimWrapper$"), OPTIMIZER),
    (re.compile(r"Scheduler$|lr_scheduler\."), _SCHEDULER),
    (re.compile(r"GradScaler$"), _SCALER),
)

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
}
_NUMBERS = {"n_averaged", "num_updates", "decay", "ema_decay", "initted", "updates"}
"""Names of single numbers that moving averages keep."""
_WHOLE_ONES = {
    **dict.fromkeys(("zero_point", "zero_points"), ZERO_POINT),
    **dict.fromkeys(("bias", "bias_quantized", "bias_q"), WHOLE_BIAS),
}
"""Names of whole numbers that belong to quantised layers."""
_OPTIMIZER_PREFIXES = ("optimizer.", "optimizer_state.", "optim.", "opt_state.")
_INTEGERS = {"int64", "int32", "int16", "uint64", "uint32", "uint16", "bool"}
_OF_TYPE = {
    **dict.fromkeys(STORED, ""),
    **dict.fromkeys(_INTEGERS, WHOLE_NUMBERS),
    **dict.fromkeys(("complex64", "complex128"), COMPLEX),
}


@lru_cache(maxsize=4096)
def branch_role(key: str) -> str:
    """Why what lies under a dictionary's key is no network; empty if it may be one."""
    if key in _WHOLE:
        return OPTIMIZER
    roles = [_BRANCH_OF_WORD.get(word.lower(), "") for word in _WORDS.findall(key)]
    found = [role for role in roles if role]
    others = [role for role in found if role != _GRADIENTS]  # of a ``grad_scaler``
    return (others or found or [""])[0]


def array_role(key: str, dimensions: int) -> str:
    """Why arrays under a key are no network; empty if they may be one.

    ``dimensions`` are the most that an array there has.
    """
    role = branch_role(key)
    return role if dimensions <= _MOST_DIMENSIONS.get(role, dimensions) else ""


def object_role(class_name: str) -> str:
    """Why an object of a class is no network; empty if it may be one."""
    return next((role for name, role in _CLASSES if name.search(class_name)), "")


def is_optimizer(keys: object) -> bool:
    """True if a dictionary with these keys is an optimizer's state."""
    return isinstance(keys, dict) and "param_groups" in keys and "state" in keys


def type_role(dtype: str) -> str:
    """Why numbers of a type are no weights; empty if they may be."""
    return _OF_TYPE.get(dtype, f"its number type, {dtype}, is not read")


def leaf_role(leaf: Leaf) -> str:
    """Why an array is no weight of the network; empty if it may be one."""
    name = leaf.path[-1]
    last = name[name.rfind(".") + 1 :]
    role = _LAST.get(last)
    if role:
        return role
    if leaf.unusable:
        return leaf.unusable
    role = type_role(leaf.dtype)
    if role == WHOLE_NUMBERS:
        return _WHOLE_ONES.get(last, role)
    if role:
        return role
    if name.startswith(_OPTIMIZER_PREFIXES):
        return OPTIMIZER
    if 0 in leaf.shape:
        return EMPTY
    if len(leaf.shape) < 2 and last in _NUMBERS and prod(leaf.shape) == 1:
        return "bookkeeping of a moving average"
    if not leaf.in_state_dict:
        if not leaf.shape:
            return "a single number beside the network"
        return array_role(name, len(leaf.shape))
    return ""
