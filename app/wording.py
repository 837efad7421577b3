"""Texts for the screen: numbers, durations, definitions of figures."""

import os
import re
from collections.abc import Sequence

from pul.records import IterationRecord, JobProgress, RetrievalMetrics

SUBJECT = "PUL_STUDIO_SUBJECT"
SUBJECTS = {  # whom or what the images show: `python -m app --subject`
    "person": ("person", "people"),
    "individual": ("individual", "individuals"),
    "vehicle": ("vehicle", "vehicles"),
}
STEPS = {
    "decode": "decoding images",
    "extract": "extracting features",
    "cluster": "clustering",
    "select": "selecting reliable images",
    "project": "laying out the map",
    "initialize": "fine-tuning on labelled images",
    "finetune": "fine-tuning",
    "evaluate": "evaluating",
    "validate": "measuring on validation identities",
    "suggest": "finding similar people",
    "import": "importing",
    "export": "writing",
}
STEP_NAMES = {  # short ones, for charts
    "decode": "decoding",
    "extract": "features",
    "cluster": "clusters",
    "select": "selection",
    "project": "map",
    "initialize": "fine-tuning on labels",
    "finetune": "fine-tuning",
    "evaluate": "evaluation",
    "validate": "validation",
}

ENDED = {
    "created": "has not begun",
    "finished": "finished",
    "stopped": "was stopped",
    "failed": "failed",
}


def subject() -> tuple[str, str]:
    """Return the words for one and for several of those that the images show."""
    return SUBJECTS[os.environ.get(SUBJECT) or "person"]


def fit(text: str) -> str:
    """Return a text about people with the words that fit what the images show."""
    one, many = subject()

    def word(match: re.Match[str]) -> str:
        article, found = match[1] or "", match[2]
        new = many if found.lower() == "people" else one
        if article and new[0] in "aeiou":
            article = f"{article.rstrip()}n "
        return article + (new.capitalize() if found[0].isupper() else new)

    return re.sub(r"\b([aA] )?([Pp]erson|[Pp]eople)\b", word, text)


def plain(text: str) -> str:
    """Escape text for Markdown, so that names show no picture, link, colour or formula.

    Code and bold stay, because our own messages use them. Half characters, as in names of files
    that are not UTF-8, are shown as escapes: the screen takes valid Unicode only.
    """
    return re.sub(r"([\\\[\]<$])", r"\\\1", text.encode("utf-8", "backslashreplace").decode())


def count(value: int) -> str:
    """Return a number with thousands separators: 12,936."""
    return f"{value:,}"


def counted(value: int, thing: str) -> str:
    """Return a number of things: 1 image, 2 images, 3 identities, 4 people."""
    if thing == "person":
        return f"{value:,} {subject()[value != 1]}"
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{value:,} {thing if value == 1 else plural}"


def percent(fraction: float) -> str:
    """Return a fraction as percent with one decimal, without the sign: 22.4."""
    return f"{100 * fraction:.1f}"


def gain(fraction: float) -> str:
    """Return a difference of fractions in points: +1.9."""
    return f"{100 * fraction:+.1f}"


_FEW_VALIDATION = 10  # identities: below, one more right answer moves the mAP by points


def validation_note(n_identities: int) -> str:
    """Return what an mAP on validation identities was measured on, and whether that is too few."""
    held = counted(n_identities, "validation identity")
    few = ", too few to judge by" if n_identities < _FEW_VALIDATION else ""
    return f"on your {held}{few}"


def repeats_the_baseline(iterations: Sequence[IterationRecord]) -> bool:
    """Whether the first iteration selects as the baseline does: it groups by the same features."""
    if len(iterations) < 2:
        return False
    baseline, first = iterations[:2]
    return (baseline.n_reliable, baseline.n_kept_clusters) == (
        first.n_reliable,
        first.n_kept_clusters,
    )


def lambda_text(lambda_: float | None) -> str:
    """Return λ, or `all` where every image trains."""
    return f"{lambda_:.2f}" if lambda_ else "all"


def live_setting(name: str, value: float) -> str:
    """Return λ or K with its letter: λ 0.85, K 750."""
    if name == "n_clusters":
        return f"K {value:.0f}"
    return f"λ {value:.2f}" if value else "λ 0 (all images)"


def duration(seconds: float) -> str:
    """Return a time for people: 8 s, 4 min, 2 h 05 min."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def definition(metrics: RetrievalMetrics) -> str:
    """Return the definition of a figure, for its caption."""
    text = f"{metrics.ap_method} AP over {counted(metrics.n_queries, 'query')}"
    if metrics.n_unmatched:
        rule = "counted as 0" if metrics.unmatched == "zero" else "not counted"
        text += f", {count(metrics.n_unmatched)} without a true match {rule}"
    return text


def place(progress: JobProgress | None) -> str:
    """Return where a job is: iteration 3/10 · fine-tuning · epoch 2/5 · 31/64."""
    if progress is None:
        return "starting"
    parts = []
    if progress.step != "import":
        parts.append(
            f"iteration {progress.iteration}/{progress.n_iterations}"
            if progress.iteration
            else "baseline"
        )
    parts.append(STEPS.get(progress.step, progress.step))
    if progress.epoch:
        parts.append(f"epoch {progress.epoch}/{progress.n_epochs}")
    if progress.total > 1:
        parts.append(f"{count(progress.done)}/{count(progress.total)}")
    return " · ".join(parts)


def share_done(progress: JobProgress | None) -> float:
    """Return how much of the present step is done, in [0, 1]."""
    if progress is None:
        return 0.0
    part = progress.done / progress.total if progress.total else 0.0
    if progress.n_epochs:
        part = (max(progress.epoch, 1) - 1 + part) / progress.n_epochs
    return min(1.0, max(0.0, part))


_ORDER = (
    "decode", "initialize", "extract", "cluster", "select", "project", "finetune", "evaluate",
    "validate", "suggest",
)  # fmt: skip


def remaining_s(
    progress: JobProgress | None, iterations: tuple[IterationRecord, ...]
) -> float | None:
    """Estimate the remaining time of a run from the duration of its last iteration.

    Args:
        progress: Progress of the run.
        iterations: Its finished iterations, the baseline first.

    Returns:
        Seconds; None before the first training iteration has finished.
    """
    if progress is None or len(iterations) < 2:
        return None
    seconds = iterations[-1].seconds
    at = _ORDER.index(progress.step) if progress.step in _ORDER else 0
    later = sum(value for step, value in seconds.items() if step in _ORDER[at + 1 :])
    present = seconds.get(progress.step, 0.0) * (1 - share_done(progress))
    return (progress.n_iterations - progress.iteration) * sum(seconds.values()) + later + present
