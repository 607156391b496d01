"""Networks that find things in an image: counts, masks, boxes, points, text."""

from __future__ import annotations

from torch import nn

from tests.kernels.zoo.parts import Parts, conv, conv_bn, dw, seq


def crowd_counter() -> nn.Module:
    """Three grey branches side by side, fused at the end."""

    def branch(c: int, k: int) -> nn.Sequential:
        return seq(
            Parts(conv=conv(1, c, k)),
            Parts(conv=conv(c, 2 * c)),
            Parts(conv=conv(2 * c, c)),
        )

    return Parts(
        branch1=branch(16, 9),
        branch2=branch(20, 7),
        branch3=branch(24, 5),
        fuse=conv(60, 1, 1),
    )


def parallel_inputs() -> nn.Module:
    return Parts(
        conv_a=conv(1, 16, 3),
        conv_b=conv(1, 16, 5),
        conv_c=conv(1, 16, 7),
        merge=conv(48, 64),
        fc=nn.Linear(64, 10),
    )


def prompt_encoder() -> nn.Module:
    """A segmenter on colour images that also takes a mask of one channel."""
    return Parts(
        image_encoder=Parts(
            patch_embed=Parts(proj=conv(3, 256, 16)),
            blocks=seq(Parts(norm1=nn.LayerNorm(256), mlp=nn.Linear(256, 256))),
            neck=seq(conv(256, 256, 1), nn.LayerNorm(256), conv(256, 256)),
        ),
        prompt_encoder=Parts(
            mask_downscaling=seq(
                conv(1, 4, 2),
                nn.LayerNorm(4),
                nn.GELU(),
                conv(4, 16, 2),
                nn.LayerNorm(16),
                nn.GELU(),
                conv(16, 256, 1),
            )
        ),
        mask_decoder=Parts(
            output_upscaling=seq(
                nn.ConvTranspose2d(256, 64, 2), nn.ConvTranspose2d(64, 1, 2)
            )
        ),
    )


def mask_head() -> nn.Module:
    return Parts(
        backbone=seq(*conv_bn(3, 64), *conv_bn(64, 256)),
        mask_head=Parts(conv1=conv(256, 256), deconv=nn.ConvTranspose2d(256, 1, 2)),
        box_head=nn.Linear(256, 4),
    )


def text_reader() -> nn.Module:
    return Parts(
        cnn=Parts(
            conv0=conv(1, 64), conv1=conv(64, 128), batchnorm1=nn.BatchNorm2d(128)
        ),
        rnn=Parts(embedding=nn.Linear(128, 37)),
    )


def detector() -> nn.Module:
    """Ordinary and depthwise convolutions under numbers alone."""

    def module(part: nn.Conv2d) -> nn.Module:
        return Parts(conv=part, bn=nn.BatchNorm2d(part.out_channels))

    head = Parts(
        cv2=seq(seq(module(conv(64, 16)), module(conv(16, 16)), conv(16, 64, 1))),
        cv3=seq(seq(seq(module(dw(64)), module(conv(64, 80, 1))), conv(80, 80, 1))),
    )
    attention = Parts(qkv=module(conv(64, 128, 1)), proj=module(conv(64, 64, 1)),
                      pe=module(dw(64)))  # fmt: skip
    return Parts(
        model=seq(
            module(conv(3, 16)), module(conv(16, 64)), Parts(attn=attention), head
        )
    )


def keypoints() -> nn.Module:
    return Parts(
        conv1a=conv(1, 64), conv1b=conv(64, 64), conv2a=conv(64, 64),
        convPa=conv(64, 256), convPb=conv(256, 65, 1),
    )  # fmt: skip
