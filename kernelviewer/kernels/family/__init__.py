"""The pattern family: differences of Gaussians and their first and second derivatives.

Trained depthwise kernels look like these patterns (Babaiee et al., ICLR 2024,
arXiv:2401.14469, §4). `render` draws members, `random_members` some at random,
`family_fit` finds the member nearest to each kernel. The formulas are in
`kernelviewer.kernels.family.formulas`, what belongs to which class in
`kernelviewer.kernels.family.regions`.
"""

from __future__ import annotations

from kernelviewer.kernels.family.fit import FamilyFit, family_fit, family_fit_set
from kernelviewer.kernels.family.members import (
    Members,
    member,
    random_members,
    render,
    supported,
)

__all__ = [
    "FamilyFit",
    "Members",
    "family_fit",
    "family_fit_set",
    "member",
    "random_members",
    "render",
    "supported",
]
