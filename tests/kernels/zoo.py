"""Small networks of the kinds people train, for telling depthwise layers apart.

Each is a plausible architecture with the names its kind has in the wild; what is
depthwise is then read off the modules themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

Build = Callable[[], nn.Module]


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


def dncnn() -> nn.Module:
    body = [layer for _ in range(4) for layer in conv_bn(64, 64)]
    return Parts(model=seq(conv(1, 64), nn.ReLU(), *body, conv(64, 1)))


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


def super_resolution_grey() -> nn.Module:
    def block() -> nn.Module:
        return Parts(body=seq(conv(32, 32), nn.ReLU(), conv(32, 32)))

    return Parts(
        head=seq(conv(1, 32)),
        body=seq(block(), block(), conv(32, 32)),
        tail=seq(seq(conv(32, 128), nn.PixelShuffle(2)), conv(32, 1)),
    )


def text_reader() -> nn.Module:
    return Parts(
        cnn=Parts(
            conv0=conv(1, 64), conv1=conv(64, 128), batchnorm1=nn.BatchNorm2d(128)
        ),
        rnn=Parts(embedding=nn.Linear(128, 37)),
    )


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


NETWORKS: dict[str, Build] = {
    build.__name__: build
    for build in (
        lenet, plain_sequence, vgg_grey, dncnn, resnet_grey, keyword_spotting,
        audio_tagger, spectrogram_transformer, waveform_features, conv_tasnet,
        generator_grey, autoencoder_grey, unet_grey, unet_named_dw, volume_net,
        volume_plain, eeg_net, eeg_net_unnamed, crowd_counter, parallel_inputs,
        discriminators, colour_and_depth, prompt_encoder, mask_head, upsampler, mamba,
        conformer, large_kernel_attention, single_separable, hybrid_intrusion,
        super_resolution_grey, text_reader, keypoints, text_classifier,
        text_classifier_without_vectors, audio_tagger_with_frontend, fused_spectrograms,
        univariate_forecaster, colour_then_depth, colour_beside_depth,
        volume_net_with_aliases, inception_time, detector,
    )
}  # fmt: skip
for _channels in (1, 3):
    for _build in (mobilenet_v1, mobilenet_v2, convnext, shufflenet, restorer):
        NETWORKS[f"{_build.__name__}_{_channels}"] = lambda b=_build, c=_channels: b(c)
