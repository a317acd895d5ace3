"""Whether a device computes bfloat16 in hardware; elsewhere it is slower than float32, not faster."""

from __future__ import annotations

from pathlib import Path

from pumice.teachers.options import Precision

# x86: AVX-512 BF16 and AMX; Arm: what Linux calls FEAT_BF16.
_FLAGS = frozenset(("avx512_bf16", "amx_bf16", "bf16"))


def chosen_precision(asked: Precision, *, device: str) -> Precision:
    """float32 or bfloat16 for what was asked."""
    if asked != "auto":
        return asked
    if device.startswith("cuda"):
        import torch

        with torch.cuda.device(device):
            return (
                "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
            )
    return "bfloat16" if device == "cpu" and _FLAGS & _processor_flags() else "float32"


def _processor_flags() -> set[str]:
    """What Linux tells of the processor; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    named = (line.partition(":") for line in lines)
    return next((set(v.split()) for n, _, v in named if n.strip() in ("flags", "Features")), set())
