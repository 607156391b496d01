"""Small networks of the kinds people train, for telling depthwise layers apart.

Each is a plausible architecture with the names its kind has in the wild; what is
depthwise is then read off the modules themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kernels.zoo.classifiers import (
    convnext,
    large_kernel_attention,
    lenet,
    mobilenet_v1,
    mobilenet_v2,
    plain_sequence,
    resnet_grey,
    shufflenet,
    single_separable,
    vgg_grey,
)
from tests.kernels.zoo.images import (
    autoencoder_grey,
    colour_and_depth,
    colour_beside_depth,
    colour_then_depth,
    discriminators,
    dncnn,
    generator_grey,
    restorer,
    super_resolution_grey,
    unet_grey,
    unet_named_dw,
    upsampler,
)
from tests.kernels.zoo.scenes import (
    crowd_counter,
    detector,
    keypoints,
    mask_head,
    parallel_inputs,
    prompt_encoder,
    text_reader,
)
from tests.kernels.zoo.series import (
    eeg_net,
    eeg_net_unnamed,
    hybrid_intrusion,
    inception_time,
    mamba,
    text_classifier,
    text_classifier_without_vectors,
    univariate_forecaster,
    volume_net,
    volume_net_with_aliases,
    volume_plain,
)
from tests.kernels.zoo.sound import (
    audio_tagger,
    audio_tagger_with_frontend,
    conformer,
    conv_tasnet,
    fused_spectrograms,
    keyword_spotting,
    spectrogram_transformer,
    waveform_features,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    Build = Callable[[], nn.Module]

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
