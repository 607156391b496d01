"""Networks that name what they see."""

from __future__ import annotations

from torch import nn

from tests.kernels.zoo.parts import Parts, conv, conv_bn, dw, seq


def lenet() -> nn.Module:
    return Parts(
        conv1=conv(1, 32),
        conv2=conv(32, 64),
        fc1=nn.Linear(9216, 128),
        fc2=nn.Linear(128, 10),
    )


def plain_sequence() -> nn.Module:
    return seq(conv(1, 16), nn.ReLU(), conv(16, 32), nn.ReLU(), nn.Linear(32, 10))


def vgg_grey() -> nn.Module:
    return Parts(
        features=seq(*conv_bn(1, 64), *conv_bn(64, 64), *conv_bn(64, 128)),
        classifier=nn.Linear(128, 10),
    )


def resnet_grey() -> nn.Module:
    def block(c: int) -> nn.Module:
        return Parts(
            conv1=conv(c, c),
            bn1=nn.BatchNorm2d(c),
            conv2=conv(c, c),
            bn2=nn.BatchNorm2d(c),
        )

    return Parts(
        conv1=conv(1, 64, 7, bias=False),
        bn1=nn.BatchNorm2d(64),
        layer1=seq(block(64), block(64)),
        fc=nn.Linear(64, 10),
    )


def mobilenet_v1(channels: int) -> nn.Module:
    """Its stem and its depthwise layers have the same names: ``model.#.0``."""

    def conv_dw(i: int, o: int) -> nn.Sequential:
        return seq(*conv_bn(i, i, groups=i), *conv_bn(i, o, 1))

    return Parts(
        model=seq(conv_bn(channels, 32), conv_dw(32, 64), conv_dw(64, 128)),
        fc=nn.Linear(128, 10),
    )


def mobilenet_v2(channels: int) -> nn.Module:
    def block(i: int, o: int, t: int) -> nn.Module:
        expand = [conv_bn(i, i * t, 1)] if t > 1 else []
        return Parts(
            conv=seq(
                *expand,
                conv_bn(i * t, i * t, groups=i * t),
                conv(i * t, o, 1, bias=False),
                nn.BatchNorm2d(o),
            )
        )

    return Parts(
        features=seq(
            conv_bn(channels, 32),
            block(32, 16, 1),
            block(16, 24, 6),
            conv_bn(24, 64, 1),
        ),
        classifier=seq(nn.Dropout(), nn.Linear(64, 10)),
    )


def convnext(channels: int) -> nn.Module:
    def block(c: int) -> nn.Module:
        return Parts(
            dwconv=dw(c, 7),
            norm=nn.LayerNorm(c),
            pwconv1=nn.Linear(c, 4 * c),
            pwconv2=nn.Linear(4 * c, c),
        )

    return Parts(
        downsample_layers=nn.ModuleList(
            [
                seq(conv(channels, 48, 4), nn.LayerNorm(48)),
                seq(nn.LayerNorm(48), conv(48, 96, 2)),
            ]
        ),
        stages=nn.ModuleList([seq(block(48), block(48)), seq(block(96), block(96))]),
        norm=nn.LayerNorm(96),
        head=nn.Linear(96, 10),
    )


def large_kernel_attention() -> nn.Module:
    def attention(c: int) -> nn.Module:
        return Parts(conv0=dw(c, 5), conv_spatial=dw(c, 7), conv1=conv(c, c, 1))

    return Parts(
        patch_embed1=Parts(proj=conv(3, 32, 7), norm=nn.BatchNorm2d(32)),
        block1=seq(
            Parts(norm1=nn.BatchNorm2d(32), attn=attention(32)),
            Parts(norm1=nn.BatchNorm2d(32), attn=attention(32)),
        ),
        head=nn.Linear(32, 10),
    )


def single_separable() -> nn.Module:
    """One unnamed depthwise layer inside an ordinary colour network."""
    return Parts(
        a=conv(3, 24),
        b=dw(24, 5),
        c=conv(24, 48, 1),
        d=conv(48, 48),
        e=nn.Linear(48, 10),
    )


def shufflenet(channels: int) -> nn.Module:
    def unit(c: int) -> nn.Module:
        return Parts(
            branch1=seq(dw(c), nn.BatchNorm2d(c), conv(c, 32, 1), nn.BatchNorm2d(32)),
            branch2=seq(
                conv(c, 32, 1), nn.BatchNorm2d(32), nn.ReLU(), dw(32),
                nn.BatchNorm2d(32), conv(32, 32, 1), nn.BatchNorm2d(32),
            ),
        )  # fmt: skip

    return Parts(
        conv1=conv_bn(channels, 24),
        stage2=seq(unit(24), unit(64)),
        fc=nn.Linear(64, 10),
    )
