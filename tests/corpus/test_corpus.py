"""A built corpus: what it holds, answers and tells; tables and figures of it."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING, ClassVar

import duckdb
import numpy as np
import pandas
import pytest

from kernelviewer.corpus.query import Questions, parse
from kernelviewer.corpus.store import Corpus, CorpusError
from kernelviewer.corpus.tables import Accuracies
from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.containers.folders import is_corpus
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.classes import CLASSES, FINE
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.labels import label_kernels
from kernelviewer.watch import NEVER, Watch
from tests.corpus.made import Here, make_corpus
from tests.networks import noise, write_every_kind, write_network
from tests.shared import CHECKPOINTS, needs_checkpoints, reference_counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Cli

pytestmark = pytest.mark.usefixtures("each_fit_once")
PER_KERNEL = ("layer", "channel", "scale", "offset", "flat")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("networks")
    first = write_network(folder / "first.safetensors")
    again = folder / "again.safetensors"
    again.write_bytes(first.read_bytes())
    return [
        first,
        write_every_kind(folder / "second.safetensors"),
        again,
        write_strange(folder / "strange.safetensors"),
    ]


def write_strange(path: Path) -> Path:
    """Layers whose weights float16 could not hold, one with a support, one damaged."""
    from safetensors.numpy import save_file

    support = noise(6, 1, 7, 7, seed=5)
    support[:, :, 0] = support[:, :, -1] = 1e-12
    damaged = noise(6, 1, 7, 7, seed=6)
    damaged[2, 0, 3, 3] = np.nan
    save_file(
        {
            "stem.weight": noise(6, 3, 3, 3),
            "blocks.0.dwconv.weight": np.float32(1e30) * noise(6, 1, 7, 7, seed=3),
            "blocks.1.dwconv.weight": np.float32(1e-4) * noise(6, 1, 7, 7, seed=4),
            "blocks.2.dwconv.weight": support,
            "blocks.3.dwconv.weight": damaged,
            "blocks.4.dwconv.weight": 1000 + noise(6, 1, 7, 7, seed=7),
        },
        path,
    )
    return path


@pytest.fixture(scope="module")
def folder(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder, files)
    return folder


@pytest.fixture(scope="module", params=["float16", "float32"])
def corpus(
    request: pytest.FixtureRequest,
    folder: Path,
    files: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Corpus:
    """The same in either form of weights."""
    if request.param == "float16":
        return Corpus.open(folder)
    return make_corpus(tmp_path_factory.mktemp("plain"), files, weights="float32")


@pytest.fixture
def questions(folder: Path) -> Iterator[Questions]:
    found = Questions(Corpus.open(folder))
    yield found
    found.close()


def identity(corpus: Corpus, name: str) -> str:
    (found,) = (item.id for item in corpus.networks if item.name == name)
    return found


def test_networks_come_back_as_they_were(files: list[Path], corpus: Corpus) -> None:
    questions = Questions(corpus)
    for file in files:
        bank = extract_kernels(open_checkpoint(file))
        found = questions.network(identity(corpus, file.stem))
        assert found.layers == bank.layers
        assert found.sizes.keys() == bank.sizes.keys()
        for size, own in bank.sizes.items():
            kept = found.sizes[size]
            assert kept.supports == own.supports
            for name in PER_KERNEL:
                assert np.array_equal(getattr(kept, name), getattr(own, name)), name
            if corpus.recipe.weights == "float32":
                assert np.array_equal(kept.weights, own.weights, equal_nan=True)
                continue
            rows, back = (w.weights.reshape(len(own), -1) for w in (own, kept))
            sound = np.isfinite(rows).all(axis=1)
            assert np.array_equal(np.isfinite(back).all(axis=1), sound)
            loss = np.abs(back - rows)[sound].max(axis=1)
            spread = rows[sound].std(axis=1, dtype=np.float64) * np.sqrt(rows.shape[1])
            assert (loss <= 1e-3 * spread + 1e-6 * np.abs(rows[sound]).max()).all()
    questions.close()


def test_rows_say_what_labelling_says(files: list[Path], questions: Questions) -> None:
    from kernelviewer.device import CPU
    from kernelviewer.latent.autoencoder import shipped
    from kernelviewer.latent.labels import Labelling

    bank = extract_kernels(open_checkpoint(files[1]))
    how = Labelling(shipped((7, 7)))
    labelled = label_kernels("", bank, (7, 7), how, CPU)
    found = questions.find(
        parse("size=7x7 network=second"),
        1000,
        columns=("code", "fit", "cosine", "margin", "class", "depth", "flat", "layer"),
    )
    columns = found.columns
    assert labelled.codes is not None
    assert np.array_equal(columns["code"], labelled.codes.code, equal_nan=True)
    assert np.array_equal(columns["fit"], labelled.codes.fit, equal_nan=True)
    assert np.array_equal(columns["cosine"], labelled.fit, equal_nan=True)
    assert labelled.labels is not None
    names = [CLASSES[i].id for i in labelled.labels.class_index]
    assert columns["class"].tolist() == names
    assert columns["flat"].tolist() == labelled.kernels.flat.tolist()
    assert set(columns["depth"]) == {1}
    assert set(columns["layer"]) == {"blocks.0.dwconv"}


def test_others_read_it_without_us(folder: Path) -> None:
    everything = f"{folder}/kernels/*/*/index.parquet"
    sql = f"select size, network, count(*) from read_parquet('{everything}', "
    rows = duckdb.sql(
        f"{sql}hive_partitioning=true, hive_types={{'size': VARCHAR}}) group by 1, 2"
    ).fetchall()
    corpus = Corpus.open(folder)
    counted = {
        (item.size, network.id): item.kernels
        for network in corpus.networks
        for item in network.sizes
    }
    assert {(size, network): count for size, network, count in rows} == counted
    networks = pandas.read_parquet(folder / "networks.parquet")
    assert networks["kernels"].sum() == corpus.kernels
    assert networks["sizes"][0][0]["classes"][0].keys() == {"class", "kernels"}
    first = identity(corpus, "first")
    place = folder / "kernels" / "size=7x7" / f"network={first}"
    index = pandas.read_parquet(place / "index.parquet", partitioning=None)
    weights = pandas.read_parquet(place / "weights.parquet", partitioning=None)
    unit = np.frombuffer(b"".join(weights["weights"]), "<f2").reshape(-1, 7, 7)
    scale, offset = (index[n].to_numpy()[:, None, None] for n in ("scale", "offset"))
    source = extract_kernels(open_checkpoint(corpus.by_id[first].source))
    back = unit.astype(np.float32) * scale + offset
    assert back == pytest.approx(source.sizes[7, 7].weights, abs=5e-3)


def test_polars_reads_it_without_us(folder: Path, questions: Questions) -> None:
    polars = pytest.importorskip("polars")
    kernels = polars.scan_parquet(
        folder / "kernels" / "*" / "*" / "index.parquet",
        hive_partitioning=True,
        hive_schema={"size": polars.String, "network": polars.String},
    )
    by = ("size", "network", "class")
    found = kernels.group_by(by).agg(polars.len().alias("count")).collect()
    counted = {
        tuple(row[name] for name in by): row["count"] for row in found.to_dicts()
    }
    assert counted == questions.counts(parse(""), by)
    networks = polars.read_parquet(folder / "networks.parquet")
    assert networks["kernels"].sum() == questions.corpus.kernels
    place = next((folder / "kernels" / "size=7x7").iterdir())
    weights = polars.read_parquet(place / "weights.parquet", hive_partitioning=False)
    assert {len(row) for row in weights["weights"]} == {98}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 206),
        ("size=7x7", 134),
        ("size=3×3 network=first", 24),
        ("network!=strange,second repeats=no", 72),
        ("class=flat", 10),
        ("flat=no size=7x7", 124),
        ("layer=stages.0.*", 48),
        ("channel=3 network=first", 3),
        ("channel=3..5 network=first", 9),
        ("depth>=9 network=first", 0),
        ("cosine>1", 0),
        ("network=nobody", 0),
    ],
)
def test_counts_of_queries(questions: Questions, text: str, expected: int) -> None:
    query = parse(text)
    if text == "class=flat":  # dead and damaged kernels, whatever there are
        expected = sum(
            int(kernels.flat.sum())
            for network in questions.corpus.networks
            for kernels in questions.network(network.id).sizes.values()
        )
    if text == "flat=no size=7x7":
        flats = questions.count(parse("flat=yes size=7x7"))
        expected = questions.count(parse("size=7x7")) - flats
        assert flats
    assert questions.count(query) == expected
    assert sum(questions.counts(query, ("size", "network")).values()) == expected


def test_terms_agree_with_numpy(questions: Questions) -> None:
    corpus = questions.corpus
    everything = questions.find(
        parse("size=7x7"), 1000, columns=("cosine", "class", "code")
    )
    cosine, kind = everything.columns["cosine"], everything.columns["class"]
    assert corpus.sizes()["7x7"] == len(everything) == everything.total
    with np.errstate(invalid="ignore"):
        wanted = (cosine >= 0.5) & (cosine <= 0.6) & (kind != "flat")
    found = questions.find(parse("size=7x7 cosine=0.5..0.6 class!=flat"), 1000)
    assert np.array_equal(found.row, everything.row[wanted])
    assert [found.networks[i] for i in found.network] == [
        everything.networks[i] for i in everything.network[wanted]
    ]
    counts = questions.histogram(parse("size=7x7"), "code", 20, 0.0, 1.0)
    code = everything.columns["code"]
    expected, _ = np.histogram(code[~np.isnan(code)], 20, (0, 1))
    assert counts.tolist() == expected.tolist()
    assert questions.counts(parse("size=7x7"), ("class",)) == {
        (name,): int((kind == name).sum()) for name in set(kind)
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class=on-center", "no class on-center"),
        ("fit>high", "'high' is no number"),
        ("whatever", "'whatever' is no term"),
        ("flat=perhaps", "flat=perhaps is no term"),
        ("size=7y7", "'7y7' is no kernel size"),
    ],
)
def test_a_query_that_is_none_is_told_of(
    questions: Questions, text: str, told: str
) -> None:
    with pytest.raises(CorpusError, match=told):
        questions.find(parse(text), 1)


def test_a_text_stays_a_text(questions: Questions) -> None:
    assert questions.count(parse('layer="\' or 1=1 --"')) == 0


def test_what_is_found_opens_as_a_network(questions: Questions) -> None:
    query = parse("size=7x7 network=first,second flat=no")
    found = questions.find(query, 20, seed=3)
    assert (len(found), found.total) == (20, questions.count(query))
    again = questions.find(query, 20, seed=3)
    assert np.array_equal(again.row, found.row)
    other = questions.find(query, 20, seed=4)
    assert not np.array_equal(other.row, found.row)
    bank = questions.bank(found, "sample")
    kernels = bank.sizes[7, 7]
    assert (bank.name, len(kernels)) == ("sample", 20)
    for place in range(20):
        network = found.networks[found.network[place]]
        whole = questions.network(network).sizes[7, 7]
        row = found.row[place]
        assert np.array_equal(kernels.weights[place], whole.weights[row])
        assert kernels.channel[place] == whole.channel[row]
        layer = bank.layers[kernels.layer[place]]
        assert layer.name.startswith(f"{network}/")
    assert sum(layer.kernels for layer in bank.layers) == 20
    with pytest.raises(CorpusError, match="several sizes"):
        questions.find(parse("network=first"), 1)


def test_nearest_kernels_are_those_of_all_cosines(corpus: Corpus) -> None:
    questions = Questions(corpus)
    rows, unit = [], []
    for network in sorted(questions.corpus.networks, key=lambda item: item.id):
        kernels = questions.network(network.id).sizes[7, 7]
        for row in np.flatnonzero(~kernels.flat):
            weight = kernels.weights[row].astype(np.float64)
            free = weight - weight.mean()
            rows.append((network.id, row))
            unit.append(free.ravel() / np.linalg.norm(free))
    wanted = noise(7, 7, seed=77) + 5
    pattern = (wanted - wanted.mean()).ravel() / np.linalg.norm(wanted - wanted.mean())
    cosine = np.array(unit) @ pattern
    order = np.argsort(-cosine, kind="stable")
    found = questions.nearest(wanted, most=15)
    names = [
        (found.networks[i], row)
        for i, row in zip(found.network, found.row, strict=True)
    ]
    assert found.columns["similarity"] == pytest.approx(cosine[order[:15]], abs=2e-3)
    assert sorted(names[:3]) == sorted(rows[i] for i in order[:3])
    bank = questions.bank(found.in_order(), "near")
    assert (np.diff(bank.sizes[7, 7].layer) >= 0).all()
    assert len(bank) == 15
    least = float(cosine[order[4]]) - 1e-3
    assert len(questions.nearest(wanted, least=least)) >= 5
    only = questions.nearest(wanted, most=4, query=parse("network=second channel<4"))
    assert {only.networks[i] for i in only.network} == {
        identity(questions.corpus, "second")
    }
    assert set(only.row) <= {0, 1, 2}  # the fourth is dead
    with pytest.raises(CorpusError, match="constant"):
        questions.nearest(np.ones((7, 7), np.float32))
    questions.close()


def test_the_same_kernels_in_another_file_are_known(folder: Path) -> None:
    corpus = Corpus.open(folder)
    pair = sorted(identity(corpus, name) for name in ("first", "again"))
    assert {item.id: item.equal_to for item in corpus.networks if item.equal_to} == {
        pair[1]: pair[0]
    }


def test_a_damaged_partition_is_found_and_told_of(
    files: list[Path], tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "corpus"
    corpus = make_corpus(folder, files[:2])
    assert "all as recorded" in cli("corpus", "check", folder).out
    first = identity(corpus, "first")
    place = folder / "kernels" / "size=7x7" / f"network={first}" / "index.parquet"
    whole = place.read_bytes()
    place.write_bytes(whole[:-100] + bytes(100))
    told = cli("corpus", "check", folder, code=1).err
    assert f"network={first}/index.parquet is damaged" in told
    assert "cannot be read" in cli("corpus", "query", folder, "fit>0", code=1).complaint
    place.unlink()
    told = cli("corpus", "check", folder, code=1).err
    assert f"network={first}/index.parquet is missing" in told
    assert "the rest is kept" in told
    (folder / "kernels" / "size=7x7" / "network=stray").mkdir()
    assert (
        "network=stray belongs to no network"
        in cli("corpus", "check", folder, code=1).err
    )


def test_only_the_files_that_are_recorded_are_counted(
    files: list[Path], tmp_path: Path
) -> None:
    """What another program put there has the right columns, but is none of ours."""
    corpus = make_corpus(tmp_path / "corpus", files[:2])
    first, second = (identity(corpus, name) for name in ("first", "second"))
    folder = corpus.folder / "kernels" / "size=7x7"
    expected = Questions(corpus).count(parse("size=7x7 channel>=0"))
    shutil.copytree(folder / f"network={first}", folder / "network=foreign")
    again = Corpus.open(corpus.folder)
    assert Questions(again).count(parse("size=7x7 channel>=0")) == expected
    for name in ("index.parquet", "weights.parquet"):
        own = folder / f"network={second}" / name
        shutil.copy(folder / f"network={first}" / name, own)
        asked = Questions(Corpus.open(corpus.folder))
        with pytest.raises(CorpusError, match=rf"{name} has \d+ bytes in place of"):
            asked.nearest(noise(7, 7), query=parse("channel>=0"))
        make_corpus(corpus.folder, files[:2])


def test_autoencoders_of_a_corpus_are_those_of_its_codes(
    files: list[Path], tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "corpus"
    make_corpus(folder, files[:1])
    own = folder / "autoencoders" / "7x7.safetensors"
    whole = own.read_bytes()
    own.write_bytes(b"another")
    told = cli("corpus", "check", folder, code=1).err
    assert "autoencoders/7x7.safetensors is missing or another" in told
    cli("corpus", "add", folder, files[0])  # the one that comes with the program is it
    assert own.read_bytes() == whole
    facts = json.loads((folder / "corpus.json").read_text())
    odd = {"9x11": "0" * 64, "../../evil": "0" * 64}
    for size, problem in zip(odd, ("is missing or another", "is damaged"), strict=True):
        facts["recipe"]["autoencoders"][size] = odd[size]
        (folder / "corpus.json").write_text(json.dumps(facts))
        complaint = cli("corpus", "add", folder, files[0], code=1).complaint
        assert problem in complaint


def test_equal_networks_are_known_before_a_build_has_ended(
    files: list[Path], tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "corpus"
    shutil.copy(files[0], tmp_path / "again.safetensors")
    make_corpus(folder, [files[0], tmp_path / "again.safetensors"])
    told = cli("corpus", "info", folder).out
    count = cli("corpus", "query", folder, "repeats=no").out
    assert "1 with the kernels of an earlier one" in told
    (folder / "networks.parquet").unlink()
    assert cli("corpus", "info", folder).out == told
    assert cli("corpus", "query", folder, "repeats=no").out == count


def test_a_corpus_of_another_version_is_told_of(folder: Path, tmp_path: Path) -> None:
    facts = json.loads((folder / "corpus.json").read_text())
    (tmp_path / "corpus.json").write_text(json.dumps(facts | {"schema": 0}))
    assert is_corpus(tmp_path)
    with pytest.raises(CorpusError, match="a corpus of version 0"):
        Corpus.open(tmp_path)
    for text in ("{", "[" * 200_000):
        (tmp_path / "corpus.json").write_text(text)
        assert not is_corpus(tmp_path)
        with pytest.raises(CorpusError, match="is damaged"):
            Corpus.open(tmp_path)
    with pytest.raises(CorpusError, match="is no corpus"):
        Corpus.open(tmp_path / "nowhere")


def test_info_and_table(folder: Path, tmp_path: Path, cli: Cli) -> None:
    told = cli("corpus", "info", folder).out
    assert "4 networks, 1 with the kernels of an earlier one" in told
    facts = cli("corpus", "info", folder, "--json").json
    assert (facts["networks"], facts["kernels"]) == (4, 206)
    accuracy = tmp_path / "accuracy.csv"
    accuracy.write_text(
        "Model,Top1\nfirst,81.5\nagain,81.5\nsecond.safetensors,70\nx,1\n"
    )
    out = tmp_path / "table.csv"
    printed = cli(
        *("corpus", "table", folder, "--size", "7x7", "-o", out),
        *("--accuracy", accuracy, "--paper"),
    )
    assert "1 network of the accuracies not here: x" in printed.err
    with out.open() as file:
        rows = {row["network"]: row for row in csv.DictReader(file)}
    assert len(rows) == 4  # one repeats another, and there is a row for all
    assert rows["second"]["Top1"] == "70"
    assert float(rows["all"]["kernels"]) == sum(
        float(row["kernels"]) for name, row in rows.items() if name != "all"
    )
    kinds = rows["all"].keys() & {item.id for item in CLASSES}
    assert {"flat", "unidentified"} <= kinds
    for row in rows.values():
        assert sum(float(row[kind]) for kind in kinds) == pytest.approx(1, abs=1e-6)
    assert not kinds & {item.id for item in FINE.patterns if item.paper}
    assert cli("corpus", "table", folder, "--size", "1x11").out.startswith("| network")
    tex = tmp_path / "table.tex"
    cli("corpus", "table", folder, "-o", tex, "--repeats")
    assert r"\begin{tabular}" in tex.read_text()
    told = cli("corpus", "table", folder, "--size", "9x9", code=1).complaint
    assert "no networks with 9x9 kernels" in told


def test_a_table_of_accuracies_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "accuracy.csv"
    for value in ("high", "nan", "inf", "1e999"):
        path.write_text(f"network,accuracy\nfirst,{value}\n")
        with pytest.raises(CorpusError, match="line 2: there is no accuracy"):
            Accuracies.read(path)
    path.write_text("first\n")
    with pytest.raises(CorpusError, match="no rows with two columns"):
        Accuracies.read(path)


def test_the_query_command_counts_and_writes(
    folder: Path, files: list[Path], tmp_path: Path, cli: Cli
) -> None:
    assert cli("corpus", "query", folder, "size=7x7").out == "134 kernels\n"
    by = cli("corpus", "query", folder, "size=7x7", "--by", "network").out
    assert [line.split()[-1] for line in by.splitlines()] == [
        "kernels", "48", "48", "30", "8"
    ]  # fmt: skip
    out = tmp_path / "rows.csv"
    told = cli("corpus", "query", folder, "size=7x7", "-o", out, "--most", 20).out
    assert "20 kernels of 134" in told
    with out.open() as file:
        assert len(list(csv.DictReader(file))) == 20
    packed = tmp_path / "kernels.npz"
    cli("corpus", "query", folder, "size=3x3", "network=first", "-o", packed)
    with np.load(packed) as arrays:
        assert arrays["kernels_3x3"].shape == (24, 3, 3)
    where = f"{files[0]}:stages.0.conv_dw:5"
    lines = cli("corpus", "query", folder, "--nearest", where, "--most", 2).out
    first = [line.split() for line in lines.splitlines()[1:]]
    assert [row[1:3] for row in first] == [["stages.0.conv_dw", "5"]] * 2
    assert min(float(row[3]) for row in first) > 0.999
    assert cli("corpus", "query", folder, "--by", "colour", code=1).complaint
    words = ("corpus", "query", folder, "network=nobody", "--nearest", where)
    assert "no 7x7 kernels to compare" in cli(*words, code=1).complaint


def test_figures_of_a_corpus(folder: Path, tmp_path: Path, cli: Cli) -> None:
    accuracy = tmp_path / "accuracy.csv"
    accuracy.write_text("network,top1\nagain,0.8\nsecond,0.7\nstrange,0.1\n")
    for kind in ("zoo", "coverage-accuracy"):
        out, data = tmp_path / f"{kind}.svg", tmp_path / f"{kind}.csv"
        words = ("figure", kind, folder, "--size", "7x7", "-o", out)
        told = cli(*words, "--accuracy", accuracy, "--data", data).out
        assert "3 networks" in told
        with data.open() as file:
            rows = {row["network"]: row for row in csv.DictReader(file)}
        assert rows.keys() == {"again", "second", "strange"}  # "first" repeats one
    assert {name: row["top1"] for name, row in rows.items()} == {
        "again": "0.8", "second": "0.7", "strange": "0.1"
    }  # fmt: skip
    words = ("figure", "zoo", folder, "--size", "3x3", "-o", tmp_path / "small.svg")
    assert "at a fit of 0.995 or more" in cli(*words).out  # 1.00 is none's
    words = ("figure", "pca", folder, "-o", tmp_path / "none.svg")
    assert "there are these figures: zoo, coverage" in cli(*words, code=2).complaint
    told = cli(
        *("figure", "coverage-accuracy", folder, "-o", tmp_path / "none.svg"),
        *("--against", "accuracy"),
        code=1,
    ).complaint
    assert "no accuracies of these networks" in told


@needs_checkpoints
@pytest.mark.timeout(600)
def test_the_shared_files_become_a_corpus_of_known_counts(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corpus"
    monkeypatch.setattr("kernelviewer.corpus.child.Child", Here)
    # how near the family comes is no count, and takes most of the time
    monkeypatch.setattr("kernelviewer.kernels.family.fit.STEPS", 1)
    cli("corpus", "build", CHECKPOINTS, "-o", folder, "--workers", 2, code=1)
    corpus = Corpus.open(folder)
    (failure,) = corpus.failures()
    assert "CORRUPT-smfanet-truncated-a.pth" in failure.message
    found = {
        network.source.rpartition("/")[2]: {s.size: s.kernels for s in network.sizes}
        for network in corpus.networks
    }
    expected = {
        name: {
            **facts["kernels_per_size"],
            **{size.rpartition("=")[2]: n for size, n in facts["one_d"].items()},
        }
        for name, facts in reference_counts().items()
        if "kernels_per_size" in facts
    }
    twice = expected["vapsr-x4-zhoumumu.pth"]  # the reference counts both copies
    expected["vapsr-x4-zhoumumu.pth"] = {size: n // 2 for size, n in twice.items()}
    assert found == expected
    assert list(corpus.check()) == []
    equal = {corpus.by_id[n.equal_to].name for n in corpus.networks if n.equal_to}
    assert "cfsr-x2-df2k-aitical" in equal


def test_patterns_are_of_length_one(questions: Questions) -> None:
    """What nearest kernels rest on."""
    found = questions.network(identity(questions.corpus, "strange")).sizes[7, 7]
    there = ~found.flat
    unit = patterns(found.weights[there], found.scale[there], found.offset[there])
    assert np.linalg.norm(unit.reshape(len(unit), -1), axis=1) == pytest.approx(1)


def test_a_corpus_of_a_stranger_leads_nowhere_else(
    files: list[Path], tmp_path: Path
) -> None:
    """What a record says becomes part of paths, which are read and removed."""
    folder = tmp_path / "corpus"
    make_corpus(folder, files[:1])
    (record,) = (folder / "records").iterdir()
    facts = json.loads(record.read_text())
    for wrong in ({"id": "../../victim"}, {"id": ".."}, {"sizes": [
        facts["sizes"][0] | {"size": "../7x7"}
    ]}, {"sizes": [facts["sizes"][0] | {"size": "99999x99999"}]}):  # fmt: skip
        record.write_text(json.dumps(facts | wrong))
        (folder / "networks.parquet").unlink(missing_ok=True)
        assert Corpus.open(folder).networks == ()
        assert any("is damaged" in line for line in Corpus.open(folder).check())


def test_parts_of_a_large_answer_are_looked_at_in_turn(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = noise(7, 7, seed=5)
    query = parse("size=7x7 channel>=2")
    whole = questions.nearest(kernel, most=20, query=query)
    monkeypatch.setattr("kernelviewer.corpus.query._AT_ONCE", 10)
    parts = questions.nearest(kernel, most=20, query=query)
    assert np.array_equal(parts.row, whole.row)
    assert parts.networks == whole.networks
    assert np.array_equal(parts.network, whole.network)


def test_a_question_is_asked_of_some_files_at_a_time_and_can_be_ended(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, every = parse("size=7x7 channel>=2"), parse("size=7x7")

    def answers(watch: Watch = NEVER) -> list[object]:
        found = questions.find(query, 30, watch=watch, columns=("class", "cosine"))
        sample = questions.find(every, 20, seed=1, watch=watch)
        return [
            questions.count(query, watch),
            questions.counts(query, ("class", "network", "size"), watch),
            questions.histogram(every, "code", 10, 0, 1, watch).tolist(),
            (found.total, found.networks, found.network.tolist(), found.row.tolist()),
            found.columns["class"].tolist(),
            [sample.network.tolist(), sample.row.tolist()],
        ]

    class Told(Watch):
        told: ClassVar[list[tuple[int, int]]] = []

        def progress(self, done: int, total: int, text: str = "") -> None:
            self.told.append((done, total))

    class Ended(Watch):
        def check(self) -> None:
            raise KeyboardInterrupt

    whole = answers()
    monkeypatch.setattr("kernelviewer.corpus.query._FILES", 1)
    assert answers(Told()) == whole
    partitions = len(questions.networks(every))
    assert partitions == 4
    assert {*Told.told} == {(done, partitions) for done in (1, 2, 3, 4)}
    for ask in (questions.count, lambda q, w: questions.find(q, 5, watch=w)):
        with pytest.raises(KeyboardInterrupt):
            ask(query, Ended())


def test_ctrl_c_while_duckdb_works_is_no_fault(
    folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def execute(self, *_: object) -> None:
            raise RuntimeError("Query interrupted")  # DuckDB's answer to the signal

        def close(self) -> None:
            pass

    monkeypatch.setattr(Questions, "_database", Interrupted())
    printed = cli("corpus", "query", folder, "fit>0", code=130)
    assert printed.complaint == "kernelviewer: interrupted"
