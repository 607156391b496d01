"""Names as people read them: what only wraps a network is taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_OUTER = ("module.", "_orig_mod.", "model.")
_ANYWHERE = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")


def unwrapped(names: Sequence[str]) -> list[str]:
    """Names without wrapper modules.

    ``module.`` (data parallel), ``_orig_mod.`` (compiled) and ``model.`` go where every
    name starts with them; ``_orig_mod.`` and the wrappers of FSDP and activation
    checkpointing, which sit around parts of a network too, go wherever they stand.
    """
    found = list(names)
    text = "\n".join(found)
    for part in _ANYWHERE:
        if part in text:
            found = [name.replace(part, "") for name in found]
    while found:
        prefix = next((part for part in _OUTER if found[0].startswith(part)), None)
        if prefix is None or not all(name.startswith(prefix) for name in found):
            break
        found = [name[len(prefix) :] for name in found]
    return found


def joined(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """Dotted names of paths, without the keys that all of them start with."""
    if not paths:
        return []
    shared = 0
    first = paths[0]
    while all(
        len(path) > shared + 1 and path[shared] == first[shared] for path in paths
    ):
        shared += 1
    if all(len(path) == shared + 1 for path in paths):
        return [path[-1] for path in paths]
    return [".".join(path[shared:]) for path in paths]
