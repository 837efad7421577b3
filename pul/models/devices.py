"""Images and random numbers on the device that trains: nothing but a batch on the CPU, and a GPU
that never waits for the CPU to hand it one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from pul.arrays import ByteArray, IntArray

_SHARE = 0.25  # of a GPU's free memory that images may take; training on them needs the rest
_BLOCK_BYTES = 2**26


def is_gpu(device: str | torch.device) -> bool:
    """Whether a device computes beside the CPU, which then should not wait for it."""
    return torch.device(device).type == "cuda"


def has_bfloat16(device: str | torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware: others emulate it, ten times as slowly."""
    if is_gpu(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if torch.device(device).type != "cpu":
        return False
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def send(tensor: Tensor, device: str | torch.device) -> Tensor:
    """Return a tensor of the CPU on a device, without waiting for the copy to a GPU."""
    if not is_gpu(device):
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)  # the page is kept until it was read


@contextmanager
def seeded(seed: int, device: str | torch.device) -> Iterator[None]:
    """Seed torch's random numbers inside, on the CPU and the device, and restore them after."""
    gpus = [torch.device(device)] if is_gpu(device) else []
    with torch.random.fork_rng(devices=gpus, device_type="cuda"):
        torch.manual_seed(seed)
        yield


def room_for_images(device: str | torch.device) -> int:
    """Return the bytes of images to keep on a device: a share of a GPU's free memory, else 0."""
    if not is_gpu(device):
        return 0
    free, _ = torch.cuda.mem_get_info(torch.device(device))
    return int(_SHARE * free)


class DevicePixels:
    """Some rows of an image array, asked for in batches, many times over.

    A GPU keeps all of them where they fit into `room_for_images`, and is sent each batch otherwise.
    On the CPU nothing is kept: a batch is what indexing the array gives.

    Args:
        pixels: Images, shape (N, H, W, 3), uint8; may be memory-mapped.
        indices: Rows of `pixels` that are wanted at all, shape (M,).
        device: Where batches are wanted.
        room: Bytes to keep there; None for `room_for_images`.
    """

    def __init__(
        self, pixels: ByteArray, indices: IntArray, device: str, *, room: int | None = None
    ) -> None:
        self.pixels, self.indices, self.device = pixels, indices, device
        self.kept: Tensor | None = None  # (M, H, W, 3)
        room = room_for_images(device) if room is None else room
        if 0 < self._n_bytes(len(indices)) <= room:
            self.kept = self._keep()

    def take(self, rows: IntArray) -> Tensor:
        """Return images by their rows in `indices`, shape (B,), as (B, H, W, 3) on the device."""
        if self.kept is None:
            return send(torch.from_numpy(self.pixels[self.indices[rows]]), self.device)
        return self.kept.index_select(0, send(torch.from_numpy(rows), self.device))

    def _keep(self) -> Tensor:
        shape = (len(self.indices), *self.pixels.shape[1:])
        kept = torch.empty(shape, dtype=torch.uint8, device=self.device)
        n_rows = max(1, _BLOCK_BYTES // self._n_bytes(1))
        for start in range(0, len(kept), n_rows):
            block = torch.from_numpy(self.pixels[self.indices[start : start + n_rows]])
            kept[start : start + n_rows] = send(block, self.device)
        return kept

    def _n_bytes(self, n_images: int) -> int:
        return n_images * int(self.pixels[:1].nbytes)
