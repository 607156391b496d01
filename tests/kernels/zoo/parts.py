"""What the networks of the zoo are made of."""

from __future__ import annotations

from torch import nn


class Parts(nn.Module):
    """Modules under given names."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


def conv(i: int, o: int, k: int | tuple[int, ...] = 3, **kw: object) -> nn.Conv2d:
    return nn.Conv2d(i, o, k, **kw)


def dw(c: int, k: int | tuple[int, ...] = 3, m: int = 1, **kw: object) -> nn.Conv2d:
    return nn.Conv2d(c, c * m, k, groups=c, **kw)


def seq(*parts: nn.Module) -> nn.Sequential:
    return nn.Sequential(*parts)


def conv_bn(i: int, o: int, k: int = 3, **kw: object) -> nn.Sequential:
    return seq(conv(i, o, k, bias=False, **kw), nn.BatchNorm2d(o), nn.ReLU())
