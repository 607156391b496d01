"""Cases: pickles that would run something, fill the memory, or make no sense."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.files.opcodes import (
    SHAPE,
    VALUES,
    WEIGHT,
    call,
    group,
    number,
    storage,
    stream,
    table,
    tensor,
    text,
    torch_legacy,
    torch_zip,
)
from tests.files.writing import CANARY, case

if TYPE_CHECKING:
    from tests.files.writing import Case

AGAIN = "Download or export it again."
DAMAGED = f"a PyTorch file, but its list of contents (a pickle) is damaged. {AGAIN}"
CUT_OFF = f"a PyTorch file, but its list of contents (a pickle) is cut off. {AGAIN}"
BEYOND = (
    "a PyTorch file, but a tensor in it reaches beyond the values that were saved. "
    f"{AGAIN}"
)
NO_SHAPE = f"a PyTorch file, but a tensor in it has no possible shape. {AGAIN}"
EMPTY = (
    "a PyTorch file, but it holds no arrays. Open the file that holds the network's "
    "state dict."
)

TOO_DEEP = (
    "a PyTorch file, but it holds no weights of a network (it is nested too deeply). "
    "Open the file that holds the network's state dict."
)

TOO_MUCH = (
    "a PyTorch file, but it holds more arrays and values than any network. Re-save the "
    "weights alone, best as safetensors."
)
NO_SCALE = (
    "a PyTorch file, but a quantised tensor in it has scales that do not fit it. "
    f"{AGAIN}"
)
TOO_MANY = (
    "a PyTorch file, but its list of contents (a pickle) has more than 3,000,000 "
    "entries. Re-save the weights alone, best as safetensors."
)

RUN = f"touch {CANARY}"
OPEN = f"open({CANARY!r}, 'w')"
TRAPS = {
    "os-system": call("os system", text(RUN)),
    "posix-system": call("posix system", text(RUN)),
    "eval": call("builtins eval", text(OPEN)),
    "exec-python-2": call("__builtin__ eval", text(OPEN)),
    "import": call(f"{CANARY} Class"),
    "import-class": b"c" + CANARY.encode() + b"\nClass\n)\x81",
    "import-attribute": text(CANARY) + text("Class.method") + b"\x93)R",
    "instance": b"(" + text(RUN) + b"ios\nsystem\n",
    "object": b"(cos\nsystem\n" + text(RUN) + b"o",
    "keywords": b"cos\nsystem\n)}\x92",
    "build": call("builtins object") + table({"__setstate__": text(RUN)}) + b"b",
    "getattr": call("builtins getattr", call(f"{CANARY} x"), text("run")) + b")R",
    "partial": call("functools partial", b"cos\nsystem\n", text(RUN)) + b")R",
    "extension": b"\x82\x01)R",
}
"""What would leave a file behind if it were run."""

LAUGHS = b"]" + b"".join(
    b"q" + bytes([n]) + b"0](" + b"h" + bytes([n]) + b"h" + bytes([n]) + b"e"
    for n in range(100)
)
"""A list of two times the same list of two times the same list …"""


ARRAY = tensor(SHAPE)
MANY_ARRAYS = (
    b"](ctorch._utils\n_rebuild_tensor\nq\0"
    + group(storage(54), number(0), *[group(number(54)), group(number(1))])
    + b"q\1R"
    + b"h\0h\1R" * 300_000
    + b"e"
)
DEEP_ARRAYS = b"".join(b"}" + text(f"k{n}") for n in range(200)) + ARRAY + b"s" * 200
ODD_MODULE = b"cx\nY\n)\x81}(" + b"".join(
    text(key) + value
    for key, value in {
        "_parameters": b"K\1",
        "_buffers": b"](K\1K\2e",
        "_modules": group(number(1)),
        "_non_persistent_buffers_set": call("builtins set", number(1)),
        "groups": number(3),
        "kernel_size": b"N",
    }.items()
) + b"ub"  # fmt: skip


def quantised(scale: bytes) -> bytes:
    """Push a tensor quantised per channel, with these scales."""
    scheme = group(b"ctorch\nper_channel_affine\n", scale, scale, number(0))
    shape = [group(*map(number, part)) for part in (SHAPE, (9, 9, 3, 1))]
    return call(
        "torch._utils _rebuild_qtensor",
        *(storage(54, kind="QInt8Storage"), number(0), *shape, scheme),
        *(b"\x89", call("collections OrderedDict")),
    )


def claims(name: str, body: bytes, message: str) -> Case:
    return case(f"{name}.pth", lambda: torch_zip(table({"dw.weight": body})), message)


def plain(name: str, body: bytes, message: str) -> Case:
    return case(f"{name}.pth", lambda: torch_zip(body), message)


def numpy_array(shape: bytes, code: str, data: bytes) -> bytes:
    dtype = call("numpy dtype", text(code), b"\x89", b"\x88")
    dtype += group(number(3), text("<"), b"N", b"N", b"N", *[number(-1)] * 2) + b"b"
    made = call(
        "numpy.core.multiarray _reconstruct",
        b"cnumpy\nndarray\n",
        group(number(0)),
        b"N",
    )
    return made + group(number(1), shape, dtype, b"\x89", data) + b"b"


PICKLES: list[Case] = [
    *(
        case(f"trap-{name}.pth", torch_zip(table({**WEIGHT, "trap": trap})))
        for name, trap in TRAPS.items()
    ),
    *(
        case(f"trap-{name}-legacy.pth", torch_legacy(table({**WEIGHT, "trap": trap})))
        for name, trap in TRAPS.items()
    ),
    case(
        "trap.pkl",
        stream(TRAPS["os-system"]),
        "a Python pickle, but it holds objects of os.system and no network. Open the "
        "file with the network's weights.",
    ),
    case(
        "object.pkl",
        stream(call("sklearn.tree DecisionTreeClassifier")),
        "a Python pickle, but it holds objects of sklearn.tree.DecisionTreeClassifier "
        "and no network. Open the file with the network's weights.",
    ),
    plain("memo", b"Nr\xff\xff\xff\x7f", EMPTY),
    plain("memo-in-text", b"Np99999999999999999\n", EMPTY),
    plain("memo-missing", b"j\xff\xff\xff\x7f", DAMAGED),
    plain("nested-lists", b"]" * 300_000 + b"a" * 299_999, TOO_DEEP),
    plain("nested-tuples", b")" + b"\x85" * 300_000, TOO_DEEP),
    plain("nested-keys", b"}(" + b")" + b"\x85" * 300_000 + b"Nu", EMPTY),
    plain("nested-objects", b"cx\nY\n)\x81" * 50_000 + b"b" * 49_999, TOO_DEEP),
    plain("laughs", LAUGHS, TOO_DEEP),
    plain("many-notes", b"N" + b"\x94" * 5_000_000, TOO_MANY),
    plain("many-objects", b"](" + b"cx\nY\nq\0" + b"h\0)\x81" * 1_500_000, TOO_MANY),
    plain("many-arrays", MANY_ARRAYS, TOO_MUCH),
    plain("deep-arrays", DEEP_ARRAYS, TOO_DEEP),
    plain("odd-module", ODD_MODULE, EMPTY),
    claims("no-scale", quantised(b"N"), DAMAGED),
    claims("odd-scales", quantised(tensor((5,))), NO_SCALE),
    plain("long-string", b"\x8d" + struct.pack("<Q", 1 << 62), CUT_OFF),
    plain("long-bytes", b"\x8e" + struct.pack("<Q", 1 << 40), CUT_OFF),
    plain("long-number", b"\x8b" + struct.pack("<I", 1 << 31), DAMAGED),
    plain("long-digits", b"I" + b"9" * 100_000 + b"\n", DAMAGED),
    plain("frame", b"\x95" + struct.pack("<Q", 1 << 62) + b"N", EMPTY),
    plain("empty-stack", b"a", DAMAGED),
    plain("no-mark", b"t", DAMAGED),
    plain("no-opcode", b"\xff", DAMAGED),
    plain("persistent-id", text("x") + b"Q", DAMAGED),
    plain("cut-off", b"X\xff\0\0\0", CUT_OFF),
    claims("negative-shape", tensor((-6, 1, 3, 3)), DAMAGED),
    claims("negative-strides", tensor(SHAPE, (-9, 9, 3, 1)), DAMAGED),
    claims("negative-offset", tensor(SHAPE, offset=-1), DAMAGED),
    claims("negative-storage", tensor(SHAPE, count=-54), DAMAGED),
    claims("huge-shape", tensor((1 << 40, 1, 3, 3)), BEYOND),
    claims("huge-offset", tensor(SHAPE, offset=1 << 60), BEYOND),
    claims("huge-strides", tensor(SHAPE, (1 << 60, 1, 1, 1)), BEYOND),
    claims("repeated-to-terabytes", tensor((1 << 40, 1, 3, 3), (0, 0, 3, 1)), BEYOND),
    claims("many-dimensions", tensor((1,) * 1000), NO_SHAPE),
    claims("fewer-strides", tensor(SHAPE, (1, 1)), NO_SHAPE),
    claims(
        "storage-too-large",
        tensor(SHAPE, count=1 << 40),
        "a PyTorch file, but its record 0 holds 216 bytes where 4,398,046,511,104 are "
        f"announced. {AGAIN}",
    ),
    claims(
        "storage-missing",
        tensor(SHAPE, key="../../etc/passwd"),
        "a PyTorch file, but its record data/../../etc/passwd is missing. " + AGAIN,
    ),
    claims("storage-of-nothing", storage(54, kind="StrangeStorage"), DAMAGED),
    claims(
        "numpy-too-large",
        numpy_array(group(number(1 << 40)), "f4", text("abcd")),
        "a PyTorch file, but an array in it has another size than it announces. "
        f"{AGAIN}",
    ),
    claims(
        "numpy-negative",
        numpy_array(group(number(-1)), "f4", text("abcd")),
        f"a PyTorch file, but an array in it has no possible shape. {AGAIN}",
    ),
    case(
        "legacy-negative-count.pth",
        torch_legacy(table(WEIGHT), count=-1),
        "an older PyTorch file, but it ends before the last values: it is half a "
        "download. Download it again.",
    ),
    case(
        "legacy-huge-count.pth",
        torch_legacy(table(WEIGHT), count=1 << 60),
        "an older PyTorch file, but it ends before the last values: it is half a "
        "download. Download it again.",
    ),
    case(
        "legacy-strange-key.pth",
        torch_legacy(table(WEIGHT), keys=b"](" + text("7") + b"e"),
        "an older PyTorch file, but its list of storages is damaged. Download it "
        "again.",
    ),
    case(
        "legacy-no-keys.pth",
        torch_legacy(table(WEIGHT), keys=b"N"),
        f"an older PyTorch file, but its list of storages is damaged. {AGAIN}",
    ),
    case(
        "nan.pth",
        torch_zip(table(WEIGHT), struct.pack("<54f", *[float("nan")] * 54)),
    ),
    case(
        "short-values.pth",
        torch_zip(table(WEIGHT), VALUES[:100]),
        "a PyTorch file, but its record 0 holds 100 bytes where 216 are announced. "
        f"{AGAIN}",
    ),
]
