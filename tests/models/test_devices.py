import numpy as np
import pytest
import torch

from pul.models.devices import DevicePixels, is_gpu, room_for_images, seeded, send
from tests.support.networks import DEVICES, coloured_images


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("room", [0, 40 * 32 * 16 * 3 - 1, 40 * 32 * 16 * 3, None])
def test_device_pixels__the_same_images_whether_they_are_kept_or_sent(device, room):
    pixels, _ = coloured_images()
    indices = np.flatnonzero(np.arange(48) % 6)  # 40 of them
    images = DevicePixels(pixels, indices, device, room=room)
    rows = np.array([39, 0, 7, 7])
    taken = images.take(rows)
    assert taken.device.type == device
    np.testing.assert_array_equal(taken.cpu().numpy(), pixels[indices[rows]])
    if room is not None:
        assert (images.kept is not None) == (room == 40 * 32 * 16 * 3)


def test_device_pixels__kept_in_blocks_of_a_memory_mapped_file(tmp_path, monkeypatch):
    monkeypatch.setattr("pul.models.devices._BLOCK_BYTES", 7 * 32 * 16 * 3)
    pixels, _ = coloured_images()
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    images = DevicePixels(mapped, np.arange(48), "cpu", room=mapped.nbytes)
    assert images.kept is not None
    np.testing.assert_array_equal(images.kept.numpy(), pixels)


def test_room_for_images__the_cpu_keeps_none():
    assert room_for_images("cpu") == 0
    pixels, _ = coloured_images()
    assert DevicePixels(pixels, np.arange(48), "cpu").kept is None


def test_send__on_the_cpu_is_no_copy():
    tensor = torch.arange(3)
    assert send(tensor, "cpu").data_ptr() == tensor.data_ptr()


@pytest.mark.parametrize("device", DEVICES)
def test_seeded__the_same_numbers_inside_and_no_trace_outside(device):
    def draw():
        return torch.rand(5), torch.rand(5, device=device)

    torch.manual_seed(1)
    expected = draw()
    torch.manual_seed(1)
    with seeded(7, device):
        inside = draw()
    for after, before in zip(draw(), expected, strict=True):
        assert torch.equal(after, before)
    with seeded(7, device):
        again = draw()
    assert all(torch.equal(a, b) for a, b in zip(inside, again, strict=True))


def test_seeded__keeps_a_gpus_state_too(monkeypatch):
    # What a machine without a GPU can show: the state of that very device is kept and put back.
    calls = []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: calls.append(device) or "kept")
    monkeypatch.setattr(
        torch.cuda, "set_rng_state", lambda state, device: calls.append((state, device))
    )
    with seeded(7, "cuda:1"):
        assert calls == [torch.device("cuda:1")]
    assert calls[1:] == [("kept", torch.device("cuda:1"))]


def test_is_gpu():
    assert [is_gpu(name) for name in ("cpu", "cuda", "cuda:1")] == [False, True, True]
