from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from kernelviewer.kernels.depthwise import classify
from tests.kernels.checkpoints import of_shapes
from tests.kernels.zoo import NETWORKS

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
ORDERS = ("registration", "alphabetical")

TIMM = (
    "caformer_s18", "coat_lite_tiny", "coatnet_nano_rw_224", "convmixer_768_32",
    "convnextv2_atto", "davit_tiny", "edgenext_xx_small", "efficientformerv2_s0",
    "efficientnet_b0", "efficientvit_b0", "efficientvit_m0", "fastvit_t8",
    "focalnet_tiny_srf", "gernet_s", "ghostnet_100", "hgnetv2_b0",
    "inception_next_atto", "lcnet_050", "levit_128", "mambaout_femto",
    "maxvit_tiny_tf_224", "mixnet_s", "mobilenetv2_100", "mobilenetv3_large_100",
    "mobilenetv4_hybrid_medium", "mobileone_s0", "mvitv2_tiny", "nasnetalarge",
    "poolformer_s12", "pvt_v2_b0", "rdnet_tiny", "repghostnet_050", "repvit_m0_9",
    "rexnet_100", "starnet_s1", "tiny_vit_5m_224", "twins_pcpvt_small", "xception41",
    "xcit_nano_12_p16_224",
)  # fmt: skip
GREY = (
    "convnext_atto", "crossvit_9_240", "densenet121", "mobileone_s0", "repvgg_a0",
    "resnext50_32x4d", "vgg11", "vit_tiny_patch16_224",
)  # fmt: skip

Answers = dict[str, str]


def truth(network: nn.Module) -> Answers:
    """Weight → ``depthwise`` or ``transposed``, read off the modules themselves."""
    answers = {}
    for name, module in network.named_modules(remove_duplicate=False):
        if not isinstance(module, CONVOLUTIONS + TRANSPOSED):
            continue
        spatial = any(side > 1 for side in module.kernel_size)
        if spatial and module.groups == module.in_channels > 1:
            kind = "transposed" if isinstance(module, TRANSPOSED) else "depthwise"
            answers[f"{name}.weight"] = kind
    return answers


def judged(network: nn.Module, order: str) -> tuple[Answers, Answers]:
    """What names and shapes alone tell: (weight → kind, ambiguous weight → reason)."""
    shapes = [
        (name, tuple(value.shape))
        for name, value in network.state_dict().items()
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    ]
    checkpoint = of_shapes(sorted(shapes) if order == "alphabetical" else shapes)
    found, open_ = {}, {}
    for tensor, decision in zip(checkpoint.tensors, classify(checkpoint), strict=True):
        if decision.verdict in ("depthwise", "transposed"):
            found[tensor.name] = decision.verdict
        elif decision.verdict == "ambiguous":
            open_[tensor.name] = decision.reason
    return found, open_


def timm_network(name: str, channels: int) -> nn.Module:
    """The modules alone: to begin values that are not there takes most of the time."""
    import timm

    with (
        warnings.catch_warnings(),
        torch.device("meta"),
        pytest.MonkeyPatch.context() as patch,
    ):
        warnings.simplefilter("ignore")
        for change in ("normal_", "uniform_", "erfinv_", "clamp_", "mul_", "add_"):
            patch.setattr(torch.Tensor, change, lambda tensor, *_, **__: tensor)
        return timm.create_model(name, in_chans=channels)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", NETWORKS)
def test_no_stem_is_depthwise_and_every_depthwise_layer_is_found(
    name: str, order: str
) -> None:
    with torch.device("meta"):
        network = NETWORKS[name]()
    found, _ = judged(network, order)
    assert found == truth(network)


@pytest.mark.parametrize("name", TIMM)
def test_names_and_shapes_tell_what_the_modules_of_timm_say(name: str) -> None:
    network = timm_network(name, 3)
    for order in ORDERS:
        found, open_ = judged(network, order)
        assert found == truth(network)
        assert not open_


@pytest.mark.parametrize("name", GREY)
def test_stems_of_grey_networks_are_not_depthwise(name: str) -> None:
    network = timm_network(name, 1)
    found, _ = judged(network, "registration")
    assert found == truth(network)


def test_a_lambda_layer_is_ambiguous_with_its_reason() -> None:
    """Its positions are a 3-D convolution of one channel amid 2-D ones."""
    found, open_ = judged(timm_network("lambda_resnet26t", 3), "registration")
    assert not found
    assert len(open_) == 3
    assert set(open_.values()) == {"It is three-dimensional in a network that is not."}


def test_every_ambiguous_layer_has_a_sentence() -> None:
    reasons = set()
    for build in NETWORKS.values():
        with torch.device("meta"):
            network = build()
        for order in ORDERS:
            reasons |= set(judged(network, order)[1].values())
    assert reasons
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons)
