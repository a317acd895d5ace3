"""The core as WebAssembly in Node: the golden vectors' bits, hostile files, the index by brute force."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
MOST_BYTES = 60_000  # gzip
NAMES = ("pumice", "pumice-plain", "pumice-stages", "pumice-stages-plain")
MODULES = [WEB / "wasm" / f"{name}.wasm" for name in NAMES]
LEAST_NODE = 18


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: on Debian, apt-get install nodejs")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    if int(version.lstrip("v").split(".")[0]) < LEAST_NODE:
        pytest.skip(f"node is {version.strip()}: {LEAST_NODE} or newer is needed")
    if not all(module.is_file() for module in MODULES):
        pytest.skip("the core is not built as WebAssembly: make wasm")
    return found


def test_in_node(node: str) -> None:
    tests = sorted((WEB / "tests").glob("*.test.mjs"))
    assert len(tests) >= 4
    ran = subprocess.run(
        [node, "--test", *tests], cwd=WEB, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]


def test_modules_import_their_memory_alone_and_are_small(node: str) -> None:
    script = (
        "const module = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));"
        "console.log(WebAssembly.Module.imports(module).map((one) => one.module + one.name).join())"
    )
    for module in MODULES:
        ran = subprocess.run([node, "-e", script, module], capture_output=True, text=True)
        assert ran.stdout.strip() == "envmemory", ran.stderr
        assert len(gzip.compress(module.read_bytes(), 9, mtime=0)) <= MOST_BYTES


def test_one_version() -> None:
    package = json.loads((WEB / "package.json").read_text("utf-8"))
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for field in ("version", "license"):
        written = re.search(rf'^{field} = "(.*)"$', project, re.MULTILINE)
        assert written is not None
        assert package[field] == written[1]
