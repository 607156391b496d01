"""Networks for volumes, signals, time series and words."""

from __future__ import annotations

from torch import nn

from tests.kernels.zoo.parts import Parts, conv, dw, seq


def volume_net() -> nn.Module:
    def block(c: int) -> nn.Module:
        return Parts(
            conv1=nn.Conv3d(c, c, 5, groups=c),
            norm=nn.GroupNorm(1, c),
            conv2=nn.Conv3d(c, 2 * c, 1),
            conv3=nn.Conv3d(2 * c, c, 1),
        )

    return Parts(
        stem=nn.Conv3d(1, 32, 1),
        enc_block_0=seq(block(32), block(32)),
        enc_block_1=seq(block(32), block(32)),
        out_0=nn.Conv3d(32, 3, 1),
    )


def volume_plain() -> nn.Module:
    return Parts(
        ec0=seq(nn.Conv3d(1, 32, 3), nn.BatchNorm3d(32)),
        ec1=seq(nn.Conv3d(32, 64, 3), nn.BatchNorm3d(64)),
        dc0=nn.Conv3d(64, 1, 1),
    )


def eeg_net() -> nn.Module:
    """One-channel stem, then depthwise with multiplier 2 over the electrodes."""
    return Parts(
        conv_temporal=conv(1, 8, (1, 64), bias=False),
        bnorm_temporal=nn.BatchNorm2d(8),
        conv_spatial=dw(8, (22, 1), m=2, bias=False),
        bnorm_1=nn.BatchNorm2d(16),
        conv_separable_depth=dw(16, (1, 16), bias=False),
        conv_separable_point=conv(16, 16, 1, bias=False),
        bnorm_2=nn.BatchNorm2d(16),
        final_layer=conv(16, 4, (1, 17)),
    )


def eeg_net_unnamed() -> nn.Module:
    return Parts(
        block1=seq(
            conv(1, 8, (1, 64), bias=False),
            nn.BatchNorm2d(8),
            dw(8, (22, 1), m=2, bias=False),
            nn.BatchNorm2d(16),
        ),
        block2=seq(
            dw(16, (1, 16), bias=False),
            conv(16, 16, 1, bias=False),
            nn.BatchNorm2d(16),
        ),
        classifier=nn.Linear(272, 4),
    )


def mamba() -> nn.Module:
    def mixer() -> nn.Module:
        return Parts(
            in_proj=nn.Linear(64, 256, bias=False),
            conv1d=nn.Conv1d(128, 128, 4, groups=128),
            x_proj=nn.Linear(128, 36, bias=False),
            out_proj=nn.Linear(128, 64, bias=False),
        )

    layer = [Parts(mixer=mixer(), norm=nn.LayerNorm(64)) for _ in range(3)]
    return Parts(
        embedding=nn.Embedding(1000, 64), layers=seq(*layer), norm_f=nn.LayerNorm(64)
    )


def hybrid_intrusion() -> nn.Module:
    """Two branches on one signal; only the last convolution is depthwise."""
    return Parts(
        cnn=Parts(
            conv=seq(
                nn.Conv1d(1, 32, 3), nn.BatchNorm1d(32), nn.ReLU(), nn.MaxPool1d(2),
                nn.Conv1d(32, 64, 3), nn.BatchNorm1d(64),
            )
        ),
        convnext=Parts(
            stem=nn.Conv1d(1, 64, 7),
            block=seq(
                nn.BatchNorm1d(64), nn.GELU(), nn.Conv1d(64, 128, 7, groups=64)
            ),
        ),
        classifier=seq(nn.Linear(192, 128), nn.ReLU(), nn.Linear(128, 34)),
    )  # fmt: skip


def text_classifier() -> nn.Module:
    """Filters over word vectors, as wide as these."""
    return Parts(
        embedding=nn.Embedding(5000, 300),
        convs=nn.ModuleList([conv(1, 100, (k, 300)) for k in (3, 4, 5)]),
        fc=nn.Linear(300, 2),
    )


def text_classifier_without_vectors() -> nn.Module:
    return Parts(
        convs=nn.ModuleList([conv(1, 100, (k, 300)) for k in (3, 4, 5)]),
        fc=nn.Linear(300, 2),
    )


def univariate_forecaster() -> nn.Module:
    """Encoder and decoder each turn the one series into vectors."""

    def embedding() -> nn.Module:
        return Parts(
            value_embedding=Parts(tokenConv=nn.Conv1d(1, 512, 3, bias=False)),
            temporal_embedding=Parts(embed=nn.Linear(4, 512, bias=False)),
        )

    return Parts(
        enc_embedding=embedding(),
        dec_embedding=embedding(),
        encoder=Parts(query_projection=nn.Linear(512, 512)),
        projection=nn.Linear(512, 1),
    )


def volume_net_with_aliases() -> nn.Module:
    """Every block keeps its layers twice: by name and in a list."""

    def block(i: int, o: int) -> nn.Module:
        part, norm = nn.Conv3d(i, o, 3), nn.InstanceNorm3d(o, affine=True)
        return Parts(conv=part, norm=norm, all_modules=seq(part, norm))

    def stage(i: int, o: int) -> nn.Module:
        return seq(Parts(convs=seq(block(i, o), block(o, o))))

    encoder = Parts(stages=seq(stage(1, 32), stage(32, 64)))
    return Parts(
        encoder=encoder,
        decoder=Parts(
            encoder=encoder,
            transpconvs=nn.ModuleList([nn.ConvTranspose3d(64, 32, 2)]),
            seg_layers=nn.ModuleList([nn.Conv3d(32, 3, 1)]),
        ),
    )


def inception_time() -> nn.Module:
    def block(i: int) -> nn.Module:
        convs = [nn.Conv1d(i, 32, k, bias=False) for k in (39, 19, 9)]
        return Parts(
            conv_layers=nn.ModuleList(convs),
            maxconv=nn.Conv1d(i, 32, 1, bias=False),
            bn=nn.BatchNorm1d(128),
        )

    return Parts(blocks=seq(block(1), block(128)), fc=nn.Linear(128, 5))
