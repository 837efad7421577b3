"""What to ask next: which card, who else is this person, which pair. Order, never labels."""

from pul.data.footage import Footage
from pul.labelling.suggestions.building import build_index
from pul.labelling.suggestions.candidates import Candidate, suggest_more
from pul.labelling.suggestions.cards import N_TYPICAL, Card, card_of, card_of_images, next_cards
from pul.labelling.suggestions.index import SuggestionIndex
from pul.labelling.suggestions.pairs import PairQuestion, pair_questions

__all__ = [
    "N_TYPICAL",
    "Candidate",
    "Card",
    "Footage",
    "PairQuestion",
    "SuggestionIndex",
    "build_index",
    "card_of",
    "card_of_images",
    "next_cards",
    "pair_questions",
    "suggest_more",
]
