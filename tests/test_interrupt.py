"""Ctrl-C during a long call: KeyboardInterrupt within a fraction of a second, by a real signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

PROGRAM = """
import time
from dataclasses import replace
import pumice

def left_to_the_library(model):
    parts = model._file.parts()
    whitespace = {**parts.tokenizer, "pre_tokenizer": {"type": "WhitespaceSplit"}}
    return pumice.StaticModel.from_parts(replace(parts, tokenizer=whitespace))

model = {model}
texts = ["Static embeddings keep one vector per token and average them. " * 8] * 100_000 * 100
work = {work}
print("ready", flush=True)
began = time.monotonic()
try:
    work()
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
else:
    print("finished", time.monotonic() - began, flush=True)
assert model.encode("the model still works").any()
"""


def started(work: str, model: str) -> subprocess.Popen[str]:
    program = PROGRAM.replace("{work}", work).replace("{model}", model)
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def interrupted_after(work: str, *, model: str = "pumice.load()", delay: float = 1.0) -> float:
    """Seconds from SIGINT to KeyboardInterrupt, or an error where the call went on or died."""
    child = started(work, model)
    try:
        time.sleep(delay)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        said, _ = child.communicate(timeout=30)
    finally:
        child.kill()
    assert child.returncode == 0, said
    assert said.startswith("interrupted "), said
    return float(said.split()[1]) - sent


# 5 GB of text, a few distinct bytes in memory: many times the second after which the signal comes.
@pytest.mark.parametrize(
    "work",
    [
        "lambda: model.encode(texts, dim=64, dtype='binary')",
        "lambda: model.encode(texts, dim=64, dtype='binary', threads=1)",
        "lambda: [0 for _ in model.encode_stream(texts, dim=64, batch=1_000_000, dtype='binary')]",
    ],
    ids=["encode", "one thread", "stream"],
)
def test_ctrl_c_ends_a_long_call(work: str) -> None:
    assert interrupted_after(work) < 0.5  # 0.1 s on an idle machine


def test_ctrl_c_ends_a_long_call_of_the_library() -> None:
    pytest.importorskip("tokenizers")
    work = "lambda: model.encode(texts[:400_000], dim=64, dtype='binary')"
    assert interrupted_after(work, model="left_to_the_library(pumice.load())") < 0.5


def said_by(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_handler_that_returns_lets_the_call_go_on() -> None:
    code = (
        "import signal, pumice, numpy as np\n"
        "model = pumice.load(); heard = []\n"
        "signal.signal(signal.SIGALRM, lambda *_: heard.append(model.encode('from the handler')))\n"
        "texts = ['Static embeddings keep one vector per token. ' * 8] * 4_000_000\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.2, 0.1)\n"
        "codes = model.encode(texts, dim=64, dtype='binary')\n"
        "inside = len(heard)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "assert (codes == model.encode(texts[0], dim=64, dtype='binary')).all()\n"
        "print(inside)\n"
    )
    assert int(said_by(code)) > 0


def test_a_handler_may_empty_the_list_that_is_being_read() -> None:
    """The first texts are with other threads by then, which hold them."""
    code = (
        "import signal, pumice\n"
        "model = pumice.load()\n"
        "texts = [f'text number {i} of a list that another hand empties' for i in range(2_000_000)]\n"
        "signal.signal(signal.SIGALRM, lambda *_: texts.clear())\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.02)\n"
        "try:\n"
        "    model.encode(texts, dim=64, dtype='binary')\n"
        "except pumice.errors.InputError as error:\n"
        "    print(error)\n"
        "assert not texts and model.encode('the model still works').any()\n"
    )
    assert said_by(code).startswith("texts became shorter while they were read: pass a list")
