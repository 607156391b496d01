"""Networks that give an image back, or make one."""

from __future__ import annotations

from torch import nn

from tests.kernels.zoo.parts import Parts, conv, conv_bn, dw, seq


def dncnn() -> nn.Module:
    body = [layer for _ in range(4) for layer in conv_bn(64, 64)]
    return Parts(model=seq(conv(1, 64), nn.ReLU(), *body, conv(64, 1)))


def generator_grey() -> nn.Module:
    """A DCGAN: the last transposed convolution has one output and no bias."""

    def up(i: int, o: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(i, o, 4, bias=False), nn.BatchNorm2d(o)]

    return Parts(
        main=seq(*up(100, 256), *up(256, 64), nn.ConvTranspose2d(64, 1, 4, bias=False))
    )


def autoencoder_grey() -> nn.Module:
    return Parts(
        encoder=seq(conv(1, 16), nn.ReLU(), conv(16, 4)),
        decoder=seq(
            nn.ConvTranspose2d(4, 16, 2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 2)
        ),
    )


def unet_grey() -> nn.Module:
    def double(i: int, o: int) -> nn.Module:
        return Parts(double_conv=seq(*conv_bn(i, o), *conv_bn(o, o)))

    return Parts(
        inc=double(1, 64),
        down1=Parts(maxpool_conv=seq(nn.MaxPool2d(2), double(64, 128))),
        up1=Parts(up=nn.ConvTranspose2d(128, 64, 2), conv=double(128, 64)),
        outc=Parts(conv=conv(64, 1, 1)),
    )


def unet_named_dw() -> nn.Module:
    """Here ``dw`` means *down*."""

    def down(i: int, o: int) -> nn.Module:
        return Parts(conv1=conv(i, o), conv2=conv(o, o))

    return Parts(
        dw1=down(1, 32), dw2=down(32, 64), up1=down(96, 32), out=conv(32, 1, 1)
    )


def discriminators() -> nn.Module:
    def one() -> nn.Module:
        return Parts(
            convs=nn.ModuleList([conv(1, 32, (5, 1)), conv(32, 128, (5, 1))]),
            conv_post=conv(128, 1, (3, 1)),
        )

    return Parts(discriminators=nn.ModuleList([one(), one(), one()]))


def colour_and_depth() -> nn.Module:
    def encoder(channels: int) -> nn.Module:
        return Parts(
            conv1=conv(channels, 64, 7, bias=False),
            bn1=nn.BatchNorm2d(64),
            layer1=seq(conv(64, 64), nn.BatchNorm2d(64), conv(64, 256)),
        )

    return Parts(
        encoder_rgb=encoder(3), encoder_depth=encoder(1), head=conv(512, 40, 1)
    )


def upsampler() -> nn.Module:
    """Depthwise transposed convolutions between ordinary ones."""

    def up(c: int) -> nn.ConvTranspose2d:
        return nn.ConvTranspose2d(c, c, 4, groups=c, bias=False)

    return Parts(
        base=seq(*conv_bn(3, 16), *conv_bn(16, 64)),
        proj_1=conv(64, 32), up_1=up(32), node_1=conv(32, 32),
        proj_2=conv(32, 32), up_2=up(32), node_2=conv(32, 32),
        hm=conv(32, 80, 1),
    )  # fmt: skip


def super_resolution_grey() -> nn.Module:
    def block() -> nn.Module:
        return Parts(body=seq(conv(32, 32), nn.ReLU(), conv(32, 32)))

    return Parts(
        head=seq(conv(1, 32)),
        body=seq(block(), block(), conv(32, 32)),
        tail=seq(seq(conv(32, 128), nn.PixelShuffle(2)), conv(32, 1)),
    )


def colour_then_depth() -> nn.Module:
    """The second input's layers follow the first's under names with a suffix."""

    def bottleneck() -> nn.Module:
        return seq(
            Parts(conv1=conv(64, 64, 1), conv2=conv(64, 64), conv3=conv(64, 256, 1))
        )

    return Parts(
        conv1=conv(3, 64, 7, bias=False), bn1=nn.BatchNorm2d(64), layer1=bottleneck(),
        conv1_d=conv(1, 64, 7, bias=False), bn1_d=nn.BatchNorm2d(64),
        layer1_d=bottleneck(), final=conv(256, 37, 1),
    )  # fmt: skip


def colour_beside_depth() -> nn.Module:
    return Parts(
        conv1=conv(3, 64, 7, bias=False), bn1=nn.BatchNorm2d(64),
        conv1_d=conv(1, 64, 7, bias=False), bn1_d=nn.BatchNorm2d(64),
        layer1=seq(Parts(conv1=conv(64, 64, 1), conv2=conv(64, 64))),
        layer1_d=seq(Parts(conv1=conv(64, 64, 1), conv2=conv(64, 64))),
        final=conv(64, 37, 1),
    )  # fmt: skip


def restorer(channels: int) -> nn.Module:
    """Image restoration whose depthwise layers are just ``conv2``."""

    def block(c: int) -> nn.Module:
        return Parts(
            conv1=conv(c, 2 * c, 1), conv2=dw(2 * c), conv3=conv(c, c, 1),
            sca=seq(nn.Identity(), conv(c, c, 1)), norm1=nn.LayerNorm(c),
            conv4=conv(c, 2 * c, 1), conv5=conv(c, c, 1),
        )  # fmt: skip

    return Parts(
        intro=conv(channels, 16),
        ending=conv(16, channels),
        encoders=seq(seq(block(16), block(16)), seq(block(32))),
        downs=seq(conv(16, 32, 2)),
    )
