"""The sample network: a small ConvNeXt-like classifier with 7×7 depthwise layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of [N, C, H, W]."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each position."""
        y = super().forward(x.permute(0, 2, 3, 1))
        return y.permute(0, 3, 1, 2)


class Mlp(nn.Module):
    """Two pointwise layers on [N, H, W, C]."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Expand, rectify, project."""
        y: Tensor = self.fc2(functional.relu(self.fc1(x)))
        return y


class Block(nn.Module):
    """Depthwise convolution, norm, MLP, and the input added."""

    def __init__(self, dim: int, side: int, expansion: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(dim, dim, side, padding=side // 2, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, expansion * dim)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        y: Tensor = self.conv_dw(x).permute(0, 2, 3, 1)
        y = self.mlp(self.norm(y))
        return x + y.permute(0, 3, 1, 2)


class Stage(nn.Module):
    """Blocks of one width, the maps halved before them where there is a norm."""

    def __init__(
        self, before: int | None, dim: int, depth: int, side: int, expansion: int
    ) -> None:
        super().__init__()
        self.downsample = (
            nn.Identity()
            if before is None
            else nn.Sequential(LayerNorm2d(before, 1e-6), nn.Conv2d(before, dim, 2, 2))
        )
        self.blocks = nn.Sequential(
            *(Block(dim, side, expansion) for _ in range(depth))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Downsample, then every block."""
        y: Tensor = self.blocks(self.downsample(x))
        return y


class Head(nn.Module):
    """Mean over the map, norm, one logit per class."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.fc = nn.Linear(dim, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, classes]."""
        y: Tensor = self.fc(self.norm(x.mean((2, 3))))
        return y


class Network(nn.Module):
    """Stem of stride 2, stages that halve the maps, head."""

    def __init__(
        self,
        classes: int,
        dims: tuple[int, ...],
        depths: tuple[int, ...],
        side: int,
        expansion: int,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, dims[0], 4, 2, 1), LayerNorm2d(dims[0], 1e-6)
        )
        befores = (None, *dims[:-1])
        self.stages = nn.Sequential(
            *(
                Stage(before, dim, depth, side, expansion)
                for before, dim, depth in zip(befores, dims, depths, strict=True)
            )
        )
        self.head = Head(dims[-1], classes)

    def initialise(self, kernel_std: float) -> None:
        """Draw the first weights, the depthwise kernels with their own spread.

        Small kernels let a few thousand steps of signal outgrow the noise that they
        start as; at the usual spread they still look like it when the task is learnt.
        """
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            elif weight.ndim == 4 and "conv_dw" not in name:
                nn.init.kaiming_normal_(weight)
            elif weight.ndim > 1:
                std = kernel_std if "conv_dw" in name else 0.02
                nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] to logits [N, classes]."""
        y: Tensor = self.head(self.stages(self.stem(x)))
        return y
