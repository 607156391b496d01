"""Networks that listen."""

from __future__ import annotations

from torch import nn

from tests.kernels.zoo.parts import Parts, conv, dw, seq


def keyword_spotting() -> nn.Module:
    """DS-CNN on spectrograms: the stem is as wide as the depthwise layers."""

    def block(c: int) -> nn.Module:
        return Parts(
            depth=dw(c),
            bn1=nn.BatchNorm2d(c),
            point=conv(c, c, 1),
            bn2=nn.BatchNorm2d(c),
        )

    return Parts(
        conv1=conv(1, 64, (10, 4)),
        bn1=nn.BatchNorm2d(64),
        blocks=seq(block(64), block(64), block(64)),
        fc=nn.Linear(64, 12),
    )


def audio_tagger() -> nn.Module:
    def block(i: int, o: int) -> nn.Module:
        return Parts(
            conv1=conv(i, o, bias=False),
            conv2=conv(o, o, bias=False),
            bn1=nn.BatchNorm2d(o),
            bn2=nn.BatchNorm2d(o),
        )

    return Parts(
        bn0=nn.BatchNorm2d(64),
        conv_block1=block(1, 64),
        conv_block2=block(64, 128),
        fc1=nn.Linear(128, 128),
    )


def spectrogram_transformer() -> nn.Module:
    block = Parts(norm1=nn.LayerNorm(192), qkv=nn.Linear(192, 576))
    return Parts(
        patch_embed=Parts(proj=conv(1, 192, 16)),
        blocks=seq(block),
        head=nn.Linear(192, 527),
    )


def waveform_features() -> nn.Module:
    def layer(i: int, o: int, k: int) -> nn.Module:
        return Parts(conv=nn.Conv1d(i, o, k, bias=False), layer_norm=nn.LayerNorm(o))

    return Parts(
        feature_extractor=Parts(
            conv_layers=nn.ModuleList([layer(1, 512, 10), layer(512, 512, 3)])
        ),
        feature_projection=nn.Linear(512, 768),
    )


def conv_tasnet() -> nn.Module:
    """Encoder [N, 1, L], depthwise [N, 1, 3] and transposed decoder [N, 1, L]."""

    def block() -> nn.Module:
        return Parts(
            net=seq(
                nn.Conv1d(32, 64, 1, bias=False),
                nn.PReLU(),
                nn.GroupNorm(1, 64),
                Parts(
                    net=seq(
                        nn.Conv1d(64, 64, 3, groups=64, bias=False),
                        nn.PReLU(),
                        nn.GroupNorm(1, 64),
                        nn.Conv1d(64, 32, 1, bias=False),
                    )
                ),
            )
        )

    return Parts(
        encoder=Parts(conv1d_U=nn.Conv1d(1, 64, 20, bias=False)),
        separator=Parts(
            network=seq(nn.Conv1d(64, 32, 1), seq(block(), block(), block()))
        ),
        decoder=Parts(basis_signals=nn.ConvTranspose1d(64, 1, 20, bias=False)),
    )


def conformer() -> nn.Module:
    def block() -> nn.Module:
        return Parts(
            norm=nn.LayerNorm(144),
            pointwise_conv1=nn.Conv1d(144, 288, 1),
            depthwise_conv=nn.Conv1d(144, 144, 31, groups=144),
            pointwise_conv2=nn.Conv1d(144, 144, 1),
        )

    return Parts(
        subsampling=seq(conv(1, 144), nn.ReLU(), conv(144, 144)),
        linear=nn.Linear(144 * 19, 144),
        layers=seq(block(), block()),
        ctc=nn.Linear(144, 1000),
    )


def audio_tagger_with_frontend() -> nn.Module:
    """Fourier transform and mel bins are layers of the network."""
    return Parts(
        spectrogram_extractor=Parts(
            stft=Parts(
                conv_real=nn.Conv1d(1, 513, 1024, bias=False),
                conv_imag=nn.Conv1d(1, 513, 1024, bias=False),
            )
        ),
        bn0=nn.BatchNorm2d(64),
        conv_block1=Parts(
            conv1=conv(1, 64, bias=False), conv2=conv(64, 64, bias=False)
        ),
        fc1=nn.Linear(64, 527),
    )


def fused_spectrograms() -> nn.Module:
    """Two patch embeddings of one channel, one after the other."""
    block = Parts(norm1=nn.LayerNorm(96), qkv=nn.Linear(96, 288))
    return Parts(
        patch_embed=Parts(proj=conv(1, 96, 4), mel_conv2d=conv(1, 96, (4, 12))),
        layers=seq(block),
        head=nn.Linear(96, 527),
    )
