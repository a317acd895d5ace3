"""The C interface: a C program gives Python's bits, and stays clean under sanitizers on damaged models."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import pumice
from pumice.modelfile import ModelParts
from pumice.modelfile.byte_level import BYTE_OF_CHARACTER
from pumice.modelfile.container import Kind, pack
from pumice.modelfile.pre_tokenizers import PATTERNS
from tests.modelfile.test_container import tiny_parts

ROOT = Path(__file__).resolve().parents[1]
TEXTS = [
    "Hello, world!",
    "unaffable naïve Ωmega",
    "北京 한국어 🏔️ a\u0301\u0323b",
    "[CLS] x[SEP]y",
    "a\tb",
]

INCLUDE = f"-I{ROOT / 'core' / 'include'}"
STRICT = ["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]

Encode = Callable[..., "subprocess.CompletedProcess[bytes]"]


@dataclass(frozen=True)
class Core:
    """The core, compiled, and the C compiler that links it: it needs nothing of the C++ library."""

    cc: str
    objects: list[str]
    folder: Path

    def program(self, source: Path) -> Path:
        """A C program of strict C11 and the core."""
        made = self.folder / source.stem
        options = ["-std=c11", "-pedantic", "-D_POSIX_C_SOURCE=200809L", *STRICT, INCLUDE]
        command = [self.cc, *options, str(source), *self.objects, "-lm", "-o", str(made)]
        ran = subprocess.run(
            command, cwd=source.parent, capture_output=True, text=True, timeout=300
        )
        assert ran.returncode == 0, ran.stderr
        return made


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    folder = tmp_path_factory.mktemp("c")
    cxx = (
        os.environ.get("CXX")
        or shutil.which("c++")
        or shutil.which("g++")
        or shutil.which("clang++")
    )
    cc = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if cxx is None or cc is None:
        pytest.skip("no C compiler")
    core = ROOT / "core"
    objects = []
    for source in [*core.glob("src/*.cpp"), *core.glob("src/simd/*.cpp")]:
        objects.append(folder / f"{source.stem}.o")
        options = ["-std=c++20", "-fno-exceptions", "-fno-rtti", INCLUDE]
        command = [cxx, *STRICT, *options, "-c", str(source), "-o", str(objects[-1])]
        subprocess.run(command, check=True, timeout=300)
    return Core(cc, [*map(str, objects)], folder)


def runner(program: Path) -> Encode:
    """A function that runs the program on models."""

    def encode(*models: Path, text: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([program, *models], input=text, capture_output=True, timeout=300)

    return encode


@pytest.fixture(scope="module")
def encode(core: Core) -> Encode:
    return runner(core.program(ROOT / "core" / "tests" / "encode.c"))


@pytest.fixture(scope="module")
def sanitized() -> Encode:
    """The program that `make sanitize` builds too."""
    if shutil.which("make") is None:
        pytest.skip("no make")
    program = Path("build", "sanitize", "memory", "encode_c")
    made = subprocess.run(["make", "-s", program], cwd=ROOT, capture_output=True, text=True)
    if "cannot find" in made.stderr:
        pytest.skip(f"no sanitizer run-time: {made.stderr.splitlines()[-1]}")
    assert made.returncode == 0, made.stderr
    return runner(ROOT / program)


def test_the_program_of_the_documentation(core: Core, tmp_path: Path) -> None:
    """docs/c.md, and the memory that docs/shrinking.md promises to a device of 512 KB."""
    page = (ROOT / "docs" / "c.md").read_text("utf-8")
    [program] = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    assert "pumice shrink --tokens 5509 --dim 256 --dtype int1 -o chip.pumice\n" in page
    model = pumice.shrink(pumice.load(), tokens=5509, dim=256, dtype="int1")
    model.save(tmp_path / "chip.pumice")
    assert model.nbytes < 384 * 1024
    (tmp_path / "cosine.c").write_text(program, "utf-8")
    ran = subprocess.run(
        [core.program(tmp_path / "cosine.c")], capture_output=True, text=True, timeout=60
    )
    query, text = model.encode(re.findall(r'\{"(.+)", "(.+)"\}', program)[0])
    assert ran.stdout == f"{query @ text:.4f}\n"
    assert ran.returncode == 0
    assert f"./cosine  # {ran.stdout}" in page


@pytest.mark.slow
def test_a_cortex_m_gives_the_same_bits(model: pumice.StaticModel, tmp_path: Path) -> None:
    """A static program of a Cortex-M7's instructions, soft floats included, under QEMU's Linux."""
    pytest.importorskip("ziglang")
    qemu = shutil.which("qemu-arm-static") or shutil.which("qemu-arm")
    if qemu is None:
        pytest.skip("no qemu-arm: on Debian, apt-get install qemu-user-static")
    target = ["-target", "thumb-linux-musleabihf", "-mcpu=cortex_m7", "-Os", "-ffp-contract=off"]
    target += ["-ffunction-sections", "-fdata-sections", INCLUDE]
    listed = re.search(r"^WASM_STAGES := ((?:.*\\\n)*.*)", (ROOT / "web/wasm.mk").read_text(), re.M)
    assert listed is not None
    stages = set(listed[1].replace("\\", " ").split())
    core = ROOT / "core"
    sources = [path for path in core.glob("src/*.cpp") if path.stem not in stages]
    sources += [ROOT / "web" / "native" / "wordpiece_only.cpp"]
    sources += [
        path for path in core.glob("src/simd/*.cpp") if not re.search("avx|x86|wasm", path.stem)
    ]

    def zig(*arguments: str | Path) -> None:
        command = [sys.executable, "-m", "ziglang", *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert ran.returncode == 0, ran.stderr

    cxx = ["-std=c++20", "-fno-exceptions", "-fno-rtti"]
    for source in sources:
        zig("c++", *target, *cxx, "-c", source, "-o", tmp_path / f"{source.stem}.o")
    program = tmp_path / "encode"
    objects = [tmp_path / f"{source.stem}.o" for source in sources]
    posix = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-static", "-Wl,--gc-sections"]
    zig("cc", *target, *posix, core / "tests" / "encode.c", *objects, "-lm", "-o", program)
    for dtype in ("float32", "int8", "int1"):
        path = tmp_path / f"{dtype}.pumice"
        model.save(path, dtype=dtype)
        stored = pumice.load(path)
        ran = subprocess.run(
            [qemu, program, path],
            input="\n".join(TEXTS).encode(),
            capture_output=True,
            timeout=300,
        )
        lines = ran.stdout.decode().splitlines()
        for text in TEXTS:
            assert " ".join(["0 ids", *map(str, stored.tokenize(text))]) in lines
            for kind in ("float32", "float16", "int8", "binary"):
                assert f"0 {stored.encode(text, dtype=kind).tobytes().hex()}" in lines


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "int4", "int2", "int1"])
def test_the_same_bits_as_python(
    encode: Encode, model: pumice.StaticModel, tmp_path: Path, dtype: str
) -> None:
    path = tmp_path / "m.pumice"
    model.save(path, dtype=dtype)
    stored = pumice.load(path)
    ran = encode(path, text="\n".join(TEXTS).encode())
    wanted = ["model 0 no error"]
    for text in TEXTS:
        wanted.append(" ".join(["0 ids", *map(str, stored.tokenize(text))]))
        wanted.append(" ".join(["0 spans", *byte_spans(stored, text)]))
        for kind in ("float32", "float16", "int8", "binary"):
            wanted.append(f"0 {stored.encode(text, dtype=kind).tobytes().hex()}")
    assert ran.stdout.decode().splitlines() == wanted


def byte_spans(model: pumice.StaticModel, text: str) -> list[str]:
    """Python's spans of characters as the C program prints its spans of bytes."""
    found = model.token_vectors(text)
    at = [len(text[:i].encode()) for i in range(len(text) + 1)]
    rows = zip(found.ids.tolist(), found.spans.tolist(), strict=True)
    return [f"{token}:{at[begin]}-{at[end]}" for token, (begin, end) in rows]


def test_invalid_utf8_is_refused_and_never_read_past(sanitized: Encode, tmp_path: Path) -> None:
    path = tmp_path / "m.pumice"
    pumice.StaticModel.from_parts(tiny_parts()).save(path)
    invalid = [
        b"\x80",
        b"\xc0\x80",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xff",
    ]
    ran = sanitized(path, text=b"\n".join([b"ab " + bad for bad in invalid] + [b"abc"]))
    assert ran.returncode == 0, ran.stderr.decode()
    statuses = [line.split()[0] for line in ran.stdout.decode().splitlines()[1:]]
    assert statuses == ["11"] * 6 * len(invalid) + ["0"] * 6


def test_damaged_models_are_refused_or_harmless(sanitized: Encode, tmp_path: Path) -> None:
    """Random damage anywhere, and in the trie above all; any bad read or write ends the program."""
    rng = random.Random(11)
    whole = pumice.StaticModel.from_parts(tiny_parts(token_weights=np.ones(6, np.float32)))
    data = whole._file.to_bytes()
    sections = {kind: bytes(s) for kind in Kind if (s := whole._file.section(kind)) is not None}
    models = []
    for number in range(300):
        damaged = bytearray(data)
        if number % 2:
            trie = bytearray(sections[Kind.VOCABULARY])
            for _ in range(rng.randint(1, 40)):
                at = rng.randrange(len(trie) // 4) * 4
                trie[at : at + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, rng.randbytes(4)])
            damaged = bytearray(pack({**sections, Kind.VOCABULARY: bytes(trie)}))
        for _ in range(rng.choice([0, 1, 3])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        models.append(tmp_path / f"{number}.pumice")
        models[-1].write_bytes(damaged)
    ran = sanitized(*models, text=b"a bc abc ab! bcab c" * 30)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    assert ran.stdout.count(b"model ") == 300
    assert ran.stdout.count(b"model 0 ") > 100


def bpe_parts() -> ModelParts:
    """A byte-level BPE whose every section has something to damage."""
    alphabet = sorted(BYTE_OF_CHARACTER)
    merges = [("t", "h"), ("th", "e"), ("a", "b"), ("Ġ", "the"), ("ab", "c"), ("Ā", "Ā")]
    tokens = [*alphabet, *map("".join, merges), "<m>", "<n>"]
    vocab = {token: index for index, token in enumerate(tokens)}
    flags = {"single_word": True, "lstrip": True, "rstrip": True}
    pattern = {"Regex": PATTERNS[1]}
    steps = [
        {"type": "Digits", "individual_digits": False},
        {
            "type": "Split",
            "pattern": {"String": "b!"},
            "behavior": "MergedWithNext",
            "invert": True,
        },
        {"type": "Split", "pattern": pattern, "behavior": "MergedWithPrevious", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True},
    ]
    tokenizer = {
        "version": "1.0",
        "added_tokens": [
            {"id": vocab["<m>"], "content": "<m>", "normalized": False, **flags},
            {"id": vocab["<n>"], "content": "<n>", "normalized": True, **flags},
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    }
    rows = np.ones((len(tokens), 4), np.float32)
    return ModelParts(tokenizer=tokenizer, embeddings=rows)


def test_damaged_bpe_models_are_refused_or_harmless(sanitized: Encode, tmp_path: Path) -> None:
    """Random damage in each section that the stages read."""
    rng = random.Random(12)
    whole = pumice.StaticModel.from_parts(bpe_parts())
    assert whole.metadata["tokenizer"]["native"]
    sections = {kind: bytes(s) for kind in Kind if (s := whole._file.section(kind)) is not None}
    read = (
        Kind.VOCABULARY,
        Kind.ADDED_TOKENS,
        Kind.NORMALIZED_TOKENS,
        Kind.PRE_TOKENIZER,
        Kind.MODEL,
    )
    models = []
    for number in range(300):
        kind = read[number % len(read)]
        damaged = bytearray(sections[kind])
        for _ in range(rng.randint(1, 30)):
            at = rng.randrange(len(damaged) // 4) * 4
            other = rng.randrange(len(damaged) // 4) * 4
            words = [b"\xff" * 4, b"\0" * 4, rng.randbytes(4), damaged[other : other + 4]]
            damaged[at : at + 4] = rng.choice(words)
        if number % 7 == 0:
            damaged = damaged[: rng.randrange(len(damaged)) // 4 * 4]
        models.append(tmp_path / f"{number}.pumice")
        models[-1].write_bytes(pack({**sections, kind: bytes(damaged)}))
    text = "<m> the ab! abc\0\0 <n>, don't 12345\u00a0\U0001f468 b!b! \u017fthe<m>  <n>".encode()
    ran = sanitized(*models, text=b"\n".join([text, text * 40, b"a" * 900, b"<m " * 400]))
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    assert ran.stdout.count(b"model ") == 300
    assert ran.stdout.count(b"model 0 ") > 100


def test_stages_give_the_same_ids_as_python(sanitized: Encode, tmp_path: Path) -> None:
    path = tmp_path / "m.pumice"
    model = pumice.StaticModel.from_parts(bpe_parts())
    model.save(path)
    text = "the abc <m>the <n> don't 12345"
    ran = sanitized(path, text=text.encode())
    assert ran.stdout.decode().splitlines()[1] == " ".join(
        ["0 ids", *map(str, model.tokenize(text))]
    )


def test_long_words_and_mark_runs_stay_in_bounds(
    sanitized: Encode, model: pumice.StaticModel, tmp_path: Path
) -> None:
    path = tmp_path / "m.pumice"
    model.save(path)
    lines = ["y" * 5000, "é" * 5000, "\u302e\u0301\u302a" * 3000, "𝅥𝅮" * 2000, "北" * 5000]
    ran = sanitized(path, text="\n".join(lines).encode()[: 1 << 16])
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
