"""Cases: broken zips, archives with traps, sharded checkpoints without their parts."""

from __future__ import annotations

import json
import struct
import zipfile
from typing import TYPE_CHECKING

from tests.files.opcodes import VALUES, WEIGHT, table, torch_legacy, torch_zip
from tests.files.writing import case, cut, gzipped, tarred, zipped

if TYPE_CHECKING:
    from tests.files.writing import Case

AGAIN = "Download it again."
TRUST = "Unpack it yourself, if you trust it, and open what is inside."
INSIDE = "Unpack it, open what is inside."
NO_END = f"but its end is missing: it is half a download. {AGAIN}"
TORCH = torch_zip(table(WEIGHT))
ENTRY = TORCH.index(b"PK\x01\x02")
END = TORCH.index(b"PK\x05\x06")


def changed(at: int, layout: str, *values: int, data: bytes = TORCH) -> bytes:
    """A file with some numbers overwritten."""
    raw = struct.pack(layout, *values)
    return data[:at] + raw + data[at + len(raw) :]


def encrypted() -> bytes:
    """A zip that says that it has a password."""
    data = zipped({"model.pth": TORCH})
    entry = data.rindex(b"PK\x01\x02")
    return changed(entry + 8, "<H", 1, data=changed(6, "<H", 1, data=data))


def bomb() -> bytes:
    """A small zip that says that a record unpacks to ten gigabytes."""
    data = torch_zip(table(WEIGHT), packed=True)
    entry = data.index(b"PK\x01\x02")
    size = struct.pack("<I", 4_000_000_000)
    return data[: entry + 24] + size + data[entry + 28 :]


HALVES = [
    case(f"half-{part}.pth", cut(TORCH, part / 10), f"this is a PyTorch file, {NO_END}")
    for part in range(2, 10)
]
HALVES_LEGACY = [
    case(
        f"half-legacy-{name}.pth",
        torch_legacy(table(WEIGHT))[:-missing],
        f"an older PyTorch file, but {problem}. {AGAIN}",
    )
    for name, missing, problem in (
        ("values", 1, "it ends before the last values: it is half a download"),
        ("count", 220, "it ends before the last values: it is half a download"),
    )
]

CONTAINERS: list[Case] = [
    *HALVES,
    *HALVES_LEGACY,
    case("sound.pth", TORCH),
    case("sound-legacy.pth", torch_legacy(table(WEIGHT))),
    case("sound-packed.pth", torch_zip(table(WEIGHT), packed=True)),
    case("sound.zip", zipped({"a/model.pth": TORCH, "a/notes.txt": b"x"})),
    case("sound.tar.gz", gzipped(tarred({"model.pth": TORCH}))),
    case("sound.pth.gz", gzipped(TORCH)),
    case("nested.zip", zipped({"inner.zip": zipped({"model.pth": TORCH})})),
    case("packed.zip", zipped({"a/model.pth.gz": gzipped(TORCH)})),
    case("nested.tar.gz", gzipped(tarred({"x.zip": zipped({"model.pth": TORCH})}))),
    case("only-magic.pth", b"PK\x03\x04", f"this is a zip file, {NO_END}"),
    case(
        "empty.zip",
        zipped({}),
        f"this is an empty zip file. {AGAIN}",
    ),
    case(
        "directory-outside.pth",
        changed(END + 16, "<I", 1 << 31),
        "this is a PyTorch file, but its zip directory points outside the file. "
        "Download or export it again.",
    ),
    case(
        "directory-too-long.pth",
        changed(END + 10, "<H", 65_000),
        "this is a PyTorch file, but its zip directory points outside the file. "
        "Download or export it again.",
    ),
    case(
        "directory-broken.pth",
        changed(ENTRY, "<I", 7),
        "this is a PyTorch file, but its zip directory is damaged. "
        "Download or export it again.",
    ),
    case(
        "record-outside.pth",
        changed(ENTRY + 42, "<I", 1 << 30),
        "this is a PyTorch file, but its record 'x/data.pkl' lies outside the file. "
        "Download or export it again.",
    ),
    case(
        "record-with-two-sizes.pth",
        changed(ENTRY + 24, "<I", 1 << 30),
        "this is a PyTorch file, but its record 'x/data.pkl' has two sizes. "
        "Download or export it again.",
    ),
    case(
        "record-broken.pth",
        changed(26, "<H", 60_000),
        "a PyTorch file, but its record 'x/data.pkl' is damaged. "
        "Download or export it again.",
    ),
    case(
        "bomb.pth",
        bomb,
        "a PyTorch file, but its list of contents (a pickle) has 4,000,000,000 bytes. "
        "Re-save the weights alone, best as safetensors.",
    ),
    case(
        "bomb.zip",
        lambda: zipped({"model.pth": bytes(80_000_000)}, zipfile.ZIP_DEFLATED),
        "a zip file, but it would unpack to far more than weights can be packed into, "
        f"or than the disk has room for. {TRUST}",
    ),
    case(
        "bomb.gz",
        lambda: gzipped(bytes(80_000_000)),
        "a file packed with gzip, but it would unpack to far more than weights can be "
        f"packed into, or than the disk has room for. {TRUST}",
    ),
    case("locked.zip", encrypted, f"a zip file, but it has a password. {INSIDE}"),
    case(
        "rare.zip",
        lambda: zipped({"model.pth": TORCH}, zipfile.ZIP_BZIP2),
        f"a zip file, but it is packed with bzip2, which is not read. {INSIDE}",
    ),
    case(
        "traversal.zip",
        zipped({"../../evil.pth": TORCH}),
        "a zip file, but it holds a file “../../evil.pth” that points outside. "
        f"{TRUST}",
    ),
    case(
        "absolute.tar",
        tarred({"/kernelviewer-evil.pth": TORCH}),
        "a tar file, but it holds a file “/kernelviewer-evil.pth” that points "
        f"outside. {TRUST}",
    ),
    case(
        "link.tar",
        tarred({}, link="/etc/passwd"),
        "an archive, but it holds no checkpoint. Open a file with a network's weights.",
    ),
    case(
        "deep.zip",
        zipped({"b.zip": zipped({"c.zip": zipped({"model.pth": TORCH})})}),
        "an archive, but b.zip in it is one too, and it holds no checkpoint, only an "
        "archive (c.zip). Unpack it and open what is inside.",
    ),
    case(
        "several.zip",
        zipped({"a.pth.gz": gzipped(TORCH), "b.pth.gz": gzipped(TORCH)}),
        "an archive, but it holds no checkpoint, only archives (a.pth.gz, b.pth.gz). "
        "Unpack one of them and open what is inside.",
    ),
    case(
        "broken-within.zip",
        zipped({"inner.tar.gz": cut(gzipped(tarred({"model.pth": TORCH})), 0.5)}),
        "an archive, but inner.tar.gz in it: a file packed with gzip, but it is cut "
        f"off or damaged: it may be half a download. {AGAIN}",
    ),
    case(
        "evil-within.zip",
        zipped({"inner.zip": zipped({"../../evil.pth": TORCH})}),
        "an archive, but inner.zip in it: a zip file, but it holds a file "
        "“../../evil.pth” that points outside. Unpack it yourself, if you trust it, "
        "and open what is inside.",
    ),
    case(
        "bomb-within.zip",
        lambda: zipped({"inner.gz": gzipped(bytes(80_000_000))}),
        "an archive, but inner.gz in it: a file packed with gzip, but it would unpack "
        "to far more than weights can be packed into, or than the disk has room for. "
        "Unpack it yourself, if you trust it, and open what is inside.",
    ),
    case(
        "texts.tar.gz",
        gzipped(tarred({"readme.txt": b"hello"})),
        "an archive, but it holds no checkpoint. Open a file with a network's weights.",
    ),
    case(
        "two.zip",
        zipped({"a.pth": TORCH, "b.pth": TORCH}),
        "an archive, but it holds 2 checkpoints (a.pth, b.pth). Unpack it and open one "
        "of them.",
    ),
    case(
        "broken-inside.tar",
        tarred({"model.pth": torch_zip(table(WEIGHT), None)}),
        "an archive, but model.pth in it: a PyTorch file, but its record data/0 is "
        "missing. Download or export it again.",
    ),
    case(
        "half.tar.gz",
        cut(gzipped(tarred({"model.pth": TORCH + bytes(range(256)) * 9})), 0.5),
        "a file packed with gzip, but it is cut off or damaged: it may be half a "
        f"download. {AGAIN}",
    ),
    case(
        "old-torch.tar",
        tarred({"sys_info": b"", "pickle": b"", "tensors": b"", "storages": VALUES}),
        "a tar file, but it was saved by a PyTorch from before 0.2, which is not read. "
        "Load it in Python and save it again.",
    ),
    case(
        "lost.index.json",
        json.dumps({"weight_map": {"dw.weight": "part-1.safetensors"}}).encode(),
        "a part of the network, part-1.safetensors, is missing. Download it into the "
        "same folder.",
    ),
    case(
        "outside.index.json",
        json.dumps({"weight_map": {"dw.weight": "../part-1.safetensors"}}).encode(),
        "the index of a sharded checkpoint, but it names a part outside its folder, "
        "“../part-1.safetensors”. Download or export it again.",
    ),
    case(
        "broken.index.json",
        b'{"weight_map": {"dw',
        "the index of a sharded checkpoint, but it cannot be read (broken JSON). "
        "Download or export it again.",
    ),
]
