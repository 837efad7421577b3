"""How many people there are, as far as pair answers tell. No Streamlit here."""

from app.services.cache import cached_by_identity
from app.services.index import kept_index
from app.services.labels import read_annotations
from app.services.workspace import open_workspace
from app.wording import counted, fit
from pul.labelling import suggestions
from pul.labelling.annotations import Annotations
from pul.labelling.population import Plan
from pul.labelling.suggestions import Count, SuggestionIndex

SECONDS_EACH = 1.55  # to look at a pair and press a key


def count(location: str, run_id: int, iteration: int) -> Count | None:
    """Return how far the counting is on an iteration; None where it has no suggestion index yet.

    Raises:
        StoreError: There is no such iteration.
    """
    index = kept_index(open_workspace(location), run_id, iteration)
    return None if index is None else count_of(index, read_annotations(location))


@cached_by_identity(maxsize=4)
def count_of(index: SuggestionIndex, state: Annotations) -> Count:
    """Return how far the counting is."""
    return suggestions.read_count(index, state, plan_of(index))


@cached_by_identity(maxsize=4)
def plan_of(index: SuggestionIndex) -> Plan:
    """Return the pairs to ask about: the same for everybody who counts."""
    return suggestions.count_plan(index)


def told(known: Count) -> str:
    """Tell how far the counting is, and what it has come to."""
    found, n_left = known.population, known.n_questions - known.n_answered
    if found is None:
        minutes = max(1, round(n_left * SECONDS_EACH / 60))
        return fit(f"{n_left} questions, about {minutes} minutes, count the people.")
    text = f"About {counted(round(found.n_people), 'person')}: {found.low:,.0f} to "
    text += f"{found.high:,.0f} with a probability of 95 %."
    return f"{text} {n_left} questions are left." if n_left else text
