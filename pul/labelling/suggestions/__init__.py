"""What to ask next: which card, who else is this person, which pair. Order, never labels."""

from pul.data.footage import Footage
from pul.labelling.suggestions.building import build_index
from pul.labelling.suggestions.calibration import N_CANDIDATES, SURE, Calibration
from pul.labelling.suggestions.candidates import Candidate, join_sure, suggest_more
from pul.labelling.suggestions.cards import N_TYPICAL, Card, card_of, card_of_images, next_cards
from pul.labelling.suggestions.counting import Count, count_plan, count_questions, read_count
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.pairs import PairQuestion, pair_questions
from pul.labelling.suggestions.review import N_REVIEWED, review_questions

__all__ = [
    "N_CANDIDATES",
    "N_REVIEWED",
    "N_TYPICAL",
    "SURE",
    "Calibration",
    "Candidate",
    "Card",
    "Count",
    "Footage",
    "PairQuestion",
    "SuggestionIndex",
    "build_index",
    "card_of",
    "card_of_images",
    "count_plan",
    "count_questions",
    "join_sure",
    "next_cards",
    "pair_questions",
    "read_count",
    "review_questions",
    "suggest_more",
]
