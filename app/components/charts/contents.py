"""The contents of a dataset or a workspace: a table of splits, bars of cameras, skipped files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from app.components.charts.palette import SPLITS
from app.wording import count, counted, fit, plain


@dataclass(frozen=True, slots=True)
class SplitRow:
    """Counts of one split; `n_pids` is 0 if no identity is known."""

    split: str
    n_images: int
    n_pids: int
    n_camids: int
    n_junk: int
    n_distractors: int


def split_table(rows: Sequence[SplitRow]) -> None:
    """Show the counts of each split; what no split has is left out."""
    columns = {
        "Images": [row.n_images for row in rows],
        fit("People"): [row.n_pids for row in rows],
        "Cameras": [row.n_camids for row in rows],
        "Junk": [row.n_junk for row in rows],
        "Distractors": [row.n_distractors for row in rows],
    }
    told = {name: numbers for name, numbers in columns.items() if any(numbers)}
    cells = "".join(f"<th>{name}</th>" for name in ("Split", *told))
    lines = zip(*told.values(), strict=True)
    body = "".join(_row(row.split, line) for row, line in zip(rows, lines, strict=True))
    st.html(
        f'<table class="pul-table"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row(split: str, numbers: Sequence[int]) -> str:
    cells = "".join(f"<td>{count(number) if number else '–'}</td>" for number in numbers)
    return f'<tr><td><i style="--c:{SPLITS[split]}"></i>{split}</td>{cells}</tr>'


def camera_bars(images_of: Mapping[tuple[str, int], int], *, height: int) -> None:
    """Show images per camera as bars, stacked by split; nothing where there is one at most.

    Args:
        images_of: Number of images by split and camera; camera -1 is unknown.
        height: Height in pixels.
    """
    cameras = sorted({camera for _, camera in images_of})
    if len(cameras) < 2:
        return
    names = ["unknown" if camera < 0 else f"camera {camera}" for camera in cameras]
    figure = go.Figure(
        [
            go.Bar(
                name=split,
                x=names,
                y=[images_of.get((split, camera), 0) for camera in cameras],
                marker_color=color,
                hovertemplate="%{y:,} " + split + "<extra></extra>",
            )
            for split, color in SPLITS.items()
        ]
    )
    figure.update_layout(
        barmode="stack",
        bargap=0.35,
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=False,
        yaxis={"nticks": 4, "title": None},
    )
    alt = f"Images of {counted(len(cameras), 'camera')}"
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)


def skipped_files(files: Sequence[tuple[str, str]], *, n_shown: int = 200) -> None:
    """Show the skipped files, grouped by reason."""
    if not files:
        return
    reasons: dict[str, list[str]] = {}
    for path, reason in files:
        reasons.setdefault(reason, []).append(path)
    with st.expander(f"{counted(len(files), 'file')} skipped"):
        for reason, paths in sorted(reasons.items(), key=lambda item: -len(item[1])):
            st.markdown(f"**{counted(len(paths), 'file')}**: {plain(reason)}")
        st.code("\n".join(path for path, _ in files[:n_shown]), language=None, wrap_lines=True)
        if len(files) > n_shown:
            st.caption(f"The first {n_shown} of {count(len(files))}.")
