"""Other K tried on the features of an iteration: kept beside it, made again where lost."""

import json
import uuid
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pul.errors import StoreError
from pul.records import ClusterCounts, Preview
from pul.store.artifacts import UNFINISHED
from pul.store.encoding import from_plain, to_plain
from pul.store.section import Section

_ARRAYS = ("clusters", "centers", "similarities")


class PreviewSection(Section):
    """The part of a workspace that keeps what another K would give.

    Nothing depends on these files: one that is missing or damaged reads as not there.
    """

    def store_preview(self, run_id: int, preview: Preview) -> None:
        """Keep a preview; one of the same iteration, K and seed is replaced.

        Raises:
            StoreError: The disk is full or refuses.
        """
        values = {
            field.name: getattr(preview, field.name)
            for field in fields(preview)
            if field.name not in _ARRAYS
        }
        arrays = {name: getattr(preview, name) for name in _ARRAYS}
        path = self._preview_path(run_id, preview.iteration, preview.n_clusters, preview.seed)
        with _Replacing(path) as aside, aside.open("wb") as file:
            np.savez(file, record=json.dumps(to_plain(values)), **arrays)

    def preview(self, run_id: int, iteration: int, n_clusters: int, seed: int) -> Preview | None:
        """Return a preview; None where there is none."""
        path = self._preview_path(run_id, iteration, n_clusters, seed)
        try:
            with np.load(path, allow_pickle=False) as stored:
                values: dict[str, Any] = json.loads(str(stored["record"]))
                return Preview(**values, **{name: stored[name] for name in _ARRAYS})
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
            return None

    def preview_version(self, run_id: int, iteration: int, n_clusters: int, seed: int) -> int:
        """Return a number that changes when a preview is replaced; 0 where there is none."""
        try:
            path = self._preview_path(run_id, iteration, n_clusters, seed)
            return path.stat().st_mtime_ns
        except OSError:
            return 0

    def store_cluster_counts(self, run_id: int, compared: ClusterCounts) -> None:
        """Keep the comparison of several K on an iteration; replaces the one before.

        Raises:
            StoreError: The disk is full or refuses.
        """
        with _Replacing(self._counts_path(run_id, compared.iteration)) as aside:
            aside.write_text(json.dumps(to_plain(compared)), encoding="utf-8")

    def cluster_counts(self, run_id: int, iteration: int) -> ClusterCounts | None:
        """Return the comparison of several K on an iteration; None where there is none."""
        try:
            text = self._counts_path(run_id, iteration).read_text(encoding="utf-8")
            return from_plain(ClusterCounts, json.loads(text))
        except (OSError, ValueError, StoreError):
            return None

    def _preview_path(self, run_id: int, iteration: int, n_clusters: int, seed: int) -> Path:
        return self._previews_path(run_id) / f"iteration-{iteration}-k-{n_clusters}-seed-{seed}.npz"

    def _counts_path(self, run_id: int, iteration: int) -> Path:
        return self._previews_path(run_id) / f"iteration-{iteration}-counts.json"

    def _previews_path(self, run_id: int) -> Path:
        return self.path / "runs" / str(run_id) / "previews"


class _Replacing:
    """A file to write to, which takes its place in one step if nothing goes wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")

    def __enter__(self) -> Path:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error
        return self._aside

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if error is None:
                self._aside.replace(self._path)
        except OSError as refused:
            error = refused
        self._aside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._path} cannot be written: {error.strerror or error}. Free some disk space or "
            "make the folder writable, then ask for the preview again."
        )
