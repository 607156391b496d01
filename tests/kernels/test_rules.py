"""Single rules of `classify`, on the smallest network that shows each."""

from __future__ import annotations

import sys

import pytest

from kernelviewer.formats import Operator
from kernelviewer.formats.network.names import by_parts
from kernelviewer.kernels.depthwise import classify
from tests.kernels.checkpoints import of_shapes

RGB = ("stem.conv.weight", (16, 3, 3, 3))
Shapes = list[tuple[str, tuple[int, ...]]]


def verdict(shapes: Shapes, name: str, **operators: Operator) -> str:
    checkpoint = of_shapes(shapes, {name: operators["operator"]} if operators else None)
    decisions = dict(
        zip((t.name for t in checkpoint.tensors), classify(checkpoint), strict=True)
    )
    return decisions[name].verdict


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((16, 1, 7, 7), "depthwise"),
        ((16, 1, 1, 11), "depthwise"),
        ((16, 1, 31, 1), "depthwise"),
        ((16, 1, 4, 4), "depthwise"),
        ((16, 1, 5), "depthwise"),
        ((16, 1, 3, 3, 3), "depthwise"),
        ((16, 1, 1, 1), "convolution"),
        ((16, 2, 3, 3), "convolution"),
        ((1, 1, 3, 3), "convolution"),
        ((1, 16, 3, 3), "convolution"),
    ],
)
def test_shape_decides_first(shape: tuple[int, ...], expected: str) -> None:
    assert verdict([RGB, ("block.dwconv.weight", shape)], "block.dwconv.weight") == (
        expected
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("block.relative_position_bias", (8, 1, 14, 14)),
        ("encoder.pos_embedding", (50, 1, 96)),
        ("decoder.query_tokens", (100, 1, 64)),
        ("head.anchors", (3, 1, 5, 2)),
        ("block.layer_scale", (96, 1, 1)),
        ("block.norm.weight", (96, 1, 4)),
        ("embed.weight", (1000, 96)),
        ("fc.weight", (10, 96)),
        ("attn.temperature", (8, 1, 1)),
        ("memory", (16, 1, 64)),
    ],
)
def test_other_parameters_are_no_convolution(name: str, shape: tuple[int, ...]) -> None:
    assert verdict([RGB, (name, shape)], name) == "none"


def test_integer_tables_are_no_weights() -> None:
    checkpoint = of_shapes([RGB, ("block.dwconv.weight", (16, 1, 3, 3))])
    table = checkpoint.tensors[1]
    checkpoint = of_shapes([])
    object.__setattr__(table, "dtype", "int64")
    object.__setattr__(checkpoint, "tensors", (table,))
    assert classify(checkpoint)[0].verdict == "none"


def test_transposed_with_one_output_is_known_by_its_bias() -> None:
    shapes = [RGB, ("mask_head.up.weight", (16, 1, 2, 2))]
    one_output = [*shapes, ("mask_head.up.bias", (1,))]
    depthwise = [*shapes, ("mask_head.up.bias", (16,))]
    assert verdict(one_output, "mask_head.up.weight") == "convolution"
    assert verdict(depthwise, "mask_head.up.weight") == "transposed"


def test_kernels_under_a_strange_name_are_left_to_the_user() -> None:
    shapes = [RGB, ("edge.conv_x", (16, 1, 3, 3)), ("arr_0", (64, 1, 7, 7))]
    assert verdict(shapes, "edge.conv_x") == "ambiguous"
    assert verdict(shapes, "arr_0") == "ambiguous"


@pytest.mark.parametrize(
    "name", ["sobel.weight", "loss.ssim_window", "dwt.filter", "edge.laplacian.weight"]
)
def test_filters_of_textbooks_are_fixed(name: str) -> None:
    assert verdict([RGB, (name, (16, 1, 3, 3))], name) == "fixed"


def test_names_that_only_contain_such_words_are_not() -> None:
    for name in ("deblur.dwconv.weight", "wavelet_convs.0.depthwise.weight"):
        assert verdict([RGB, (name, (16, 1, 3, 3))], name) == "depthwise"


@pytest.mark.parametrize(
    ("shape", "operator", "expected"),
    [
        ((8, 1, 3, 3), Operator(groups=8), "depthwise"),
        ((16, 1, 3, 3), Operator(groups=8), "depthwise"),
        ((8, 1, 3, 3), Operator(groups=1), "convolution"),
        ((8, 1, 3, 3), Operator(in_channels=1), "convolution"),
        ((8, 1, 3, 3), Operator(in_channels=8), "depthwise"),
        ((8, 2, 3, 3), Operator(groups=4), "convolution"),
        ((8, 1, 1, 1), Operator(groups=8), "convolution"),
        ((8, 1, 2, 2), Operator(groups=8, transposed=True), "transposed"),
        ((8, 3, 2, 2), Operator(groups=8, transposed=True), "transposed"),
        ((8, 1, 2, 2), Operator(groups=1, transposed=True), "convolution"),
    ],
)
def test_the_graph_of_the_file_decides_over_names(
    shape: tuple[int, ...], operator: Operator, expected: str
) -> None:
    for name in ("stem.depthwise.weight", "onnx::Conv_42"):
        assert verdict([(name, shape)], name, operator=operator) == expected


@pytest.mark.parametrize(
    ("shape", "operator", "multiplier"),
    [
        ((16, 1, 3, 3), Operator(groups=8), 2),
        ((8, 3, 2, 2), Operator(groups=8, transposed=True), 3),
    ],
)
def test_the_graph_tells_the_multiplier(
    shape: tuple[int, ...], operator: Operator, multiplier: int
) -> None:
    checkpoint = of_shapes([("w", shape)], {"w": operator})
    assert classify(checkpoint)[0].multiplier == multiplier


def test_the_multiplier_is_told_by_what_feeds_the_layer() -> None:
    checkpoint = of_shapes(
        [
            RGB,
            ("stem.bn.weight", (16,)),
            ("spatial.depthwise.weight", (48, 1, 5, 5)),
            ("point.weight", (32, 48, 1, 1)),
        ]
    )
    assert classify(checkpoint)[2].multiplier == 3


def test_a_graph_without_the_tensor_says_that_it_is_no_convolution() -> None:
    shapes = [("conv", (8, 3, 3, 3)), ("constant_conv", (8, 1, 3, 3))]
    checkpoint = of_shapes(shapes, {"conv": Operator(groups=1)})
    assert [item.verdict for item in classify(checkpoint)] == ["convolution", "none"]


def test_a_transposed_name_marks_a_depthwise_layer() -> None:
    for name, size in (("up_2", 4), ("dw_deconv", 3), ("conv_transpose_dw", 5)):
        shapes = [
            RGB,
            (f"neck.{name}.weight", (16, 1, size, size)),
            (f"neck.{name}.bias", (16,)),
            ("neck.point.weight", (32, 16, 1, 1)),
        ]
        assert verdict(shapes, f"neck.{name}.weight") == "transposed"


@pytest.mark.parametrize(
    "path",
    [
        *("dec.de_convs.0.depth_conv", "decoder.de_conv_2", "dec.dw_deconv", "deconv1"),
        *(
            "deconv_layers.0.depthwise",
            "decoder.deconv.0.conv.dw",
            "up.0.conv_transpose",
        ),
        *(
            "up1.transpose",
            "up_transpose",
            "upsample.transposed.dw",
            "dwDeConv",
            "convT",
        ),
        *(
            "ConvTranspose2d_0",
            "dec.conv2d_transpose_1",
            "conv_trans",
            "conv_tr2",
            "tconv",
        ),
        *("dec.transposed_conv.0.dw", "deconvolution", "upDeconv.dwconv"),
    ],
)
def test_names_of_transposed_layers(path: str) -> None:
    shapes: Shapes = [
        RGB,
        (f"x.{path}.weight", (16, 1, 3, 5)),
        (f"x.{path}.bias", (16,)),
    ]
    shapes += [("x.point.weight", (32, 16, 1, 1))]
    assert verdict(shapes, f"x.{path}.weight") == "transposed"


@pytest.mark.parametrize(
    "path",
    [
        *("last_conv.dw", "lastconv.dw", "rightconv.dw", "side_conv.dw", "sideconv.dw"),
        *("wide_conv.dw", "node_conv.dw", "encode_conv.dw", "decode_conv.dw"),
        *("transposed_attention.dwconv", "transformer.dwconv", "transition.dwconv"),
        *("conv_transform.dw", "conv_trunk.dw", "conv_t.dw", "deform_conv.dw"),
        *("deconv_block.attn.mlp.dwconv", "pretrained_conv.dw", "textconv.dw"),
        *("upper.dw", "update_conv.dw", "supconv.dw", "up.dw", "up_conv.dw"),
    ],
)
def test_names_that_only_look_like_those_of_transposed_layers(path: str) -> None:
    shapes: Shapes = [
        RGB,
        (f"x.{path}.weight", (16, 1, 3, 3)),
        (f"x.{path}.bias", (16,)),
    ]
    shapes += [("x.point.weight", (32, 16, 1, 1))]
    assert verdict(shapes, f"x.{path}.weight") == "depthwise"


@pytest.mark.parametrize(
    "path", ["up", "ups.0", "up_conv2", "up1.dwconv", "trans_conv"]
)
def test_even_kernels_of_upsamplers_are_transposed(path: str) -> None:
    shapes: Shapes = [
        RGB,
        (f"x.{path}.weight", (16, 1, 4, 4)),
        (f"x.{path}.bias", (16,)),
    ]
    shapes += [("x.point.weight", (32, 16, 1, 1))]
    assert verdict(shapes, f"x.{path}.weight") == "transposed"


def test_an_odd_kernel_in_an_upsampler_is_an_ordinary_depthwise_one() -> None:
    shapes = [
        RGB,
        ("decoder.up.weight", (16, 1, 3, 3)),
        ("decoder.point.weight", (32, 16, 1, 1)),
    ]
    assert verdict(shapes, "decoder.up.weight") == "depthwise"


def counted(shapes: Shapes) -> Shapes:
    """As readers list what a writer sorted: by name, numbers in their order."""
    return sorted(shapes, key=lambda item: by_parts(item[0]))


def numbered_blocks(stem: str, shape: tuple[int, ...], count: int) -> Shapes:
    shapes: Shapes = [(f"{stem}.weight", shape), (f"{stem}.bias", (24,))]
    for block in range(count):
        lead = f"encoder.layers_{block}"
        shapes += [(f"{lead}.Conv_0.weight", (24, 1, 3, 3))]
        shapes += [(f"{lead}.Conv_0.bias", (24,))]
        shapes += [
            (f"{lead}.Dense_0.weight", (96, 24)),
            (f"{lead}.Dense_0.bias", (96,)),
        ]
        shapes += [
            (f"{lead}.Dense_1.weight", (24, 96)),
            (f"{lead}.Dense_1.bias", (24,)),
        ]
    return shapes


@pytest.mark.parametrize("count", [4, 12])
@pytest.mark.parametrize("stem", ["stem.Dense_0", "patchify", "to_tokens.z", "a.in"])
@pytest.mark.parametrize("shape", [(24, 4), (24, 12, 1, 1), (24, 3, 4, 4)])
def test_the_first_block_is_not_the_stem_where_names_were_sorted(
    stem: str, shape: tuple[int, ...], count: int
) -> None:
    shapes = counted(numbered_blocks(stem, shape, count))
    for block in range(count):
        name = f"encoder.layers_{block}.Conv_0.weight"
        assert verdict(shapes, name) == "depthwise"


def test_a_grey_stem_that_sorting_puts_last_is_no_depthwise_layer() -> None:
    for count in (4, 12):
        shapes = counted(numbered_blocks("to_tokens", (24, 1, 4, 4), count))
        assert verdict(shapes, "to_tokens.weight") == "ambiguous"
        for block in range(count):
            name = f"encoder.layers_{block}.Conv_0.weight"
            assert verdict(shapes, name) == "depthwise"


def test_a_grey_stem_in_a_numbered_row_is_no_depthwise_layer() -> None:
    shapes: Shapes = [("layers.0.weight", (32, 1, 3, 3))]
    for place in range(1, 14, 2):
        shapes += [(f"layers.{place}.weight", (32, 32, 1, 1))]
        shapes += [(f"layers.{place + 1}.weight", (32, 1, 3, 3))]
    assert verdict(counted(shapes), "layers.0.weight") == "convolution"


def test_a_lone_stack_of_kernels_is_ambiguous() -> None:
    assert verdict([("net.weight", (64, 1, 7, 7))], "net.weight") == "ambiguous"


def test_an_empty_network_is_no_error() -> None:
    assert classify(of_shapes([])) == ()


def test_tensors_without_elements_are_passed_over() -> None:
    shapes = [("a.weight", (0, 1, 3, 3)), ("b.weight", (4, 0, 3, 3)), ("c", ())]
    assert {item.verdict for item in classify(of_shapes(shapes))} == {"none"}


def test_thousands_of_layers_are_judged() -> None:
    shapes = [RGB]
    for index in range(4_000):
        shapes += [
            (f"blocks.{index}.a.weight", (16, 1, 3, 3)),
            (f"blocks.{index}.b.weight", (16, 16, 1, 1)),
        ]
    decisions = classify(of_shapes(shapes))
    assert sum(item.verdict == "depthwise" for item in decisions) == 4_000


@pytest.mark.parametrize(
    ("name", "beside", "shape"),
    [
        ("m{}.patch_embed.proj.weight", "m{}.b.weight", (16, 16)),
        ("m{}.conv1_d.weight", "m{}.conv1.weight", (16, 3, 3, 3)),
    ],
)
def test_thousands_of_input_layers_take_no_more_than_their_number(
    name: str, beside: str, shape: tuple[int, ...]
) -> None:
    def calls(number: int) -> int:
        count = 0

        def counted(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event == "call"

        shapes = [
            item
            for i in range(number)
            for item in ((name.format(i), (16, 1, 3, 3)), (beside.format(i), shape))
        ]
        checkpoint = of_shapes(shapes)
        sys.setprofile(counted)
        try:
            classify(checkpoint)
        finally:
            sys.setprofile(None)
        return count

    calls(1)  # what is kept for good
    assert calls(240) < 5 * calls(60)
