"""Small files that would fill the memory, and cancelling while they are read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.containers import archives, unpacked
from kernelviewer.formats.containers.zip_directory import ZipRecord, zip_records
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.onnx import graph
from kernelviewer.formats.source import OpenedFile, Source
from kernelviewer.kernels.extract import extract_kernels
from tests.files.opcodes import STOP, VALUES, table, tensor, text, torch_zip
from tests.files.writing import tarred
from tests.formats import test_tf_graph as tf_graph
from tests.formats import tfjs_models
from tests.formats.protobuf import field
from tests.formats.reading import weights
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1 << 20
PACKERS = {
    "gz": partial(gzip.compress, compresslevel=1),
    "bz2": partial(bz2.compress, compresslevel=1),
    "xz": partial(lzma.compress, preset=0),
}


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """Fails where the block takes more memory."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * MEGABYTE


def header(kind: bytes, size: int, name: str = "x") -> bytes:
    """A header of a tar that announces so many bytes."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_gigabytes(
    packer: str, kind: bytes, tmp_path: Path
) -> None:
    data = header(kind, 2 << 30) + bytes(20 * MEGABYTE)
    path = write(tmp_path / f"x.tar.{packer}", PACKERS[packer](data))
    with at_most(12), pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert caught.value.problem.endswith(
        "but a header in it claims 2,147,483,648 bytes, more than any has"
    )


@pytest.mark.parametrize("kind", [tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK])
def test_headers_that_are_not_needed_are_passed_over(
    kind: bytes, tmp_path: Path
) -> None:
    data = header(kind, 30 * MEGABYTE) + bytes(30 * MEGABYTE)
    data += tarred({"net.pth": torch_zip(table({"dw.weight": tensor((6, 1, 3, 3))}))})
    path = write(tmp_path / "x.tar.gz", PACKERS["gz"](data))
    with at_most(20):
        assert len(open_checkpoint(path).tensors) == 1


def test_members_that_are_passed_over_count(tmp_path: Path) -> None:
    data = header(tarfile.REGTYPE, 80 * MEGABYTE, "x.png") + bytes(80 * MEGABYTE)
    path = write(tmp_path / "x.tar.gz", PACKERS["gz"](data))
    with pytest.raises(CheckpointError, match="it would unpack to far more"):
        open_checkpoint(path)


@pytest.mark.parametrize("packer", PACKERS)
def test_passing_over_a_member_can_be_cancelled(packer: str, tmp_path: Path) -> None:
    data = header(tarfile.REGTYPE, 30 * MEGABYTE, "x.png") + bytes(30 * MEGABYTE)
    path = write(tmp_path / "x.tar", PACKERS[packer](data))
    with pytest.raises(EndedError):
        open_checkpoint(path, watch=Recorder(end=25))


def test_a_thousand_empty_streams_can_be_cancelled(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", gzip.compress(b"") * 1000)
    watch = Recorder()
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        open_checkpoint(path, watch=watch)
    assert watch.checks > 1000


def test_a_dictionary_of_gigabytes_is_not_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MAX_MEMORY", MEGABYTE)
    path = write(tmp_path / "x.xz", lzma.compress(weights(0, (1 << 12,)).tobytes()))
    with pytest.raises(CheckpointError, match="takes more memory than is allowed"):
        open_checkpoint(path)


@pytest.mark.parametrize("packer", PACKERS)
def test_several_streams_are_one_file(packer: str, tmp_path: Path) -> None:
    data = torch_zip(table({"dw.weight": tensor((6, 1, 3, 3))}))
    pieces = data[:100], b"", data[100:300], data[300:]
    path = write(tmp_path / "x", b"".join(map(PACKERS[packer], pieces)))
    (found,) = open_checkpoint(path).tensors
    assert found.load().tobytes() == VALUES


@pytest.mark.parametrize(
    "form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]
)
@pytest.mark.parametrize("packer", ["", "gz", "bz2", "xz"])
def test_names_of_any_kind_in_a_tar(form: int, packer: str, tmp_path: Path) -> None:
    folder = "ordner" if form == tarfile.USTAR_FORMAT else "ördner/" + "x" * 150
    network = torch_zip(table({"dw.weight": tensor((6, 1, 3, 3))}))
    path = tmp_path / "x.tar"
    with tarfile.open(path, f"w:{packer}", format=form) as out:  # type: ignore[call-overload]
        out.addfile(tarfile.TarInfo(f"{folder}/"))
        for name, data in {"a.png": bytes(700), "net.pth": network}.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    (found,) = open_checkpoint(path).tensors
    assert found.load().tobytes() == VALUES


def test_a_sparse_file_in_a_tar_is_named(tmp_path: Path) -> None:
    data = header(tarfile.GNUTYPE_SPARSE, 512, "net.pth") + bytes(1024)
    path = write(tmp_path / "x.tar", data)
    with pytest.raises(CheckpointError, match=r"“net\.pth” in it is stored sparse"):
        open_checkpoint(path)


# Records of zips


def packed_zip(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("x", data)
    return path


def record_of(path: Path) -> ZipRecord:
    records = zip_records(Source(path, path.stat().st_size, b""))
    return ZipRecord(OpenedFile.of(path), records["x"])


def test_records_come_in_small_pieces(tmp_path: Path) -> None:
    data = bytes(40 * MEGABYTE)
    record = record_of(packed_zip(tmp_path / "x.zip", data))
    with at_most(4):
        sizes = [len(piece) for piece in record.pieces()]
    assert sum(sizes) == len(data)


def test_unpacking_a_record_can_be_cancelled(tmp_path: Path) -> None:
    record = record_of(packed_zip(tmp_path / "x.zip", bytes(40 * MEGABYTE)))
    with unpacked.unpacking(Recorder(end=25)), pytest.raises(EndedError):
        record.unpacked()


def test_a_small_part_of_a_large_record_takes_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernelviewer.formats.containers.zip_directory.MOST", MEGABYTE)
    data = weights(0, (1 << 21,)).tobytes()
    record = record_of(packed_zip(tmp_path / "x.zip", data))
    with at_most(4):
        found = record.read(5 * MEGABYTE, 99).tobytes()
    assert found == data[5 * MEGABYTE : 5 * MEGABYTE + 99]


def test_a_record_of_mere_zeros_is_not_held(tmp_path: Path) -> None:
    record = record_of(packed_zip(tmp_path / "x.zip", bytes(70 * MEGABYTE)))
    with at_most(4), pytest.raises(DamagedError, match="which no weights do"):
        record.read(0, 70 * MEGABYTE)


def test_many_tensors_on_one_packed_record_unpack_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"l{i}.dw.weight": tensor((3, 1, 3, 3), offset=i) for i in range(20)}
    path = write(tmp_path / "x.pth", torch_zip(table(names), packed=True))
    unpacked_names = []
    pieces = ZipRecord.pieces

    def noted(self: ZipRecord) -> Iterator[bytes]:
        unpacked_names.append(self.record.name)
        return pieces(self)

    monkeypatch.setattr(ZipRecord, "pieces", noted)
    kernels = extract_kernels(open_checkpoint(path)).sizes[3, 3].weights
    assert unpacked_names.count("x/data/0") == 1
    values = np.frombuffer(VALUES, np.float32)
    expected = [values[i : i + 27] for i in range(20)]
    np.testing.assert_array_equal(kernels.reshape(20, 27), expected)
    assert not unpacked.is_kept((OpenedFile.of(path), 0))
    assert not unpacked._kept


def test_a_packed_record_of_a_file_that_changed_is_not_given(tmp_path: Path) -> None:
    names = {f"l{i}.dw.weight": tensor((2, 1, 3, 3), offset=i) for i in range(9)}
    path = write(tmp_path / "x.pth", torch_zip(table(names), packed=True))
    first, second, *_ = open_checkpoint(path).tensors
    first.load()
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(CheckpointError, match="the file changed"):
        second.load()


def test_records_that_share_bytes_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("a.npy", "b.npy"):
            archive.writestr(name, bytes(500))
    data = bytearray(out.getvalue())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)  # lies where the first lies
    path = write(tmp_path / "x.npz", bytes(data))
    with pytest.raises(CheckpointError, match="two of its records share bytes"):
        open_checkpoint(path)


def test_tensors_that_repeat_a_small_file_are_not_extracted(tmp_path: Path) -> None:
    shape, strides = (1 << 20, 1, 3, 3), (0, 0, 0, 0)
    names = {f"l{i}.dw.weight": tensor(shape, strides, offset=i) for i in range(8)}
    path = write(tmp_path / "x.pth", torch_zip(table(names)))
    checkpoint = open_checkpoint(path)
    with at_most(4), pytest.raises(CheckpointError, match="far more than can be in"):
        extract_kernels(checkpoint)


def test_a_file_that_is_named_many_times_is_not_many_files(tmp_path: Path) -> None:
    channels = (300 * MEGABYTE) // 36
    nodes = [tfjs_models.node("a", "DepthwiseConv2dNative", ("x", "dw"))]
    path = tfjs_models.save_graph(tmp_path, nodes, {"dw": weights(0, (3, 3, 6, 1))})
    content = json.loads(path.read_text())
    (group,) = content["weightsManifest"]
    group["weights"][0]["shape"] = [3, 3, channels, 1]
    group["paths"] *= 300
    path.write_text(json.dumps(content))
    write(tmp_path / group["paths"][0], bytes(MEGABYTE))
    checkpoint = open_checkpoint(path)
    with at_most(4), pytest.raises(CheckpointError, match="far more than can be in"):
        extract_kernels(checkpoint)


def test_reading_the_lengths_of_texts_can_be_cancelled(tmp_path: Path) -> None:
    words = {"words": np.zeros(1000, np.float32), "dw": weights(0, (3, 3, 6, 1))}
    nodes = [tfjs_models.node("a", "DepthwiseConv2dNative", ("x", "dw"))]
    path = tfjs_models.save_graph(tmp_path, nodes, words)
    path.write_text(path.read_text().replace('"float32"', '"string"', 1))
    watch = Recorder()
    assert len(open_checkpoint(path, watch=watch).tensors) == 1
    assert watch.checks > 1000


def test_one_value_does_not_stand_for_terabytes(tmp_path: Path) -> None:
    sides = b"".join(field(2, field(1, side)) for side in (3, 3, 1 << 40, 1))
    value = field(8, field(1, 1) + field(2, sides) + field(5, bytes(4)))
    data = tf_graph.graph(
        tf_graph.node("net/dw/depthwise_weights", "Const", value=value)
    )
    path = write(tmp_path / "x.pb", data)
    with pytest.raises(CheckpointError, match="another number of values"):
        open_checkpoint(path)


def test_a_text_as_long_as_the_file_is_not_read_whole() -> None:
    data = b"a" * (30 * MEGABYTE)
    with at_most(1):
        assert graph.text(data, 0, len(data)) == "a" * (1 << 16)


# Pickles in large files are read window by window


def python2_pickle(line: int) -> bytes:
    names = b"".join(b"S'%d'\nS'%s'\ns" % (i, b"a" * line) for i in range(3))
    return b"(dp0\n" + names + STOP


@pytest.mark.parametrize("line", [10, 5000, 200_000, 3_000_000])
def test_lines_longer_than_the_window(
    line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x.pkl", python2_pickle(line))
    messages = []
    for whole in (1 << 30, 0):
        monkeypatch.setattr("kernelviewer.formats.source.WHOLE", whole)
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(path)
        messages.append(str(caught.value))
    assert "it holds no arrays" in messages[0]
    assert messages[0] == messages[1]


def test_a_line_without_end_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kernelviewer.formats.torch.pickle_machine._LONGEST_LINE", MEGABYTE
    )
    path = write(tmp_path / "x.pkl", b"(dp0\nS'" + b"a" * (30 * MEGABYTE))
    with at_most(12), pytest.raises(CheckpointError, match="is damaged"):
        open_checkpoint(path)


@pytest.mark.parametrize("cut", [3, 70_000, 150_000])
def test_a_pickle_that_is_cut_off_in_a_large_file(
    cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = b"".join(text(f"{i}") + b"K\1s" for i in range(20_000))
    data = b"\x80\x02}q\x00" + entries + STOP
    monkeypatch.setattr("kernelviewer.formats.source.WHOLE", 0)
    path = write(tmp_path / "x.pkl", data[: len(data) - cut])
    with pytest.raises(CheckpointError, match=r"\(a pickle\) is (cut off|damaged)"):
        open_checkpoint(path)


def test_numbers_of_a_struct_stay_in_a_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kernelviewer.formats import source as file_view

    monkeypatch.setattr(file_view, "WHOLE", 0)
    monkeypatch.setattr(file_view, "BLOCK", 16)
    data = bytes(range(100))
    path = write(tmp_path / "x", data)
    with file_view.viewed(path) as view:
        assert len(view) == 100
        for start in range(0, 100, 7):
            assert view[start] == data[start]
            for stop in range(start, 120, 5):
                assert view[start:stop] == data[start:stop]
        with pytest.raises(IndexError):
            view[100]
        assert struct.unpack("<I", view[14:18]) == struct.unpack("<I", data[14:18])
