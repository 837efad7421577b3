"""Cards that lie before somebody else."""

from app.services.leases import LEASE_S, Leases


def test_draw__everybody_gets_other_cards_until_they_leave() -> None:
    clock = [0.0]
    leases, cards = Leases(now=lambda: clock[0]), "abcdef"
    gone: set[str] = set()

    def draw(who: str) -> str:
        def choose(others):
            return {card: card for card in [c for c in cards if c not in others][:2]}

        return "".join(leases.draw(who, choose, lambda name: name not in gone))

    assert [draw("ann"), draw("bob"), draw("ann"), draw("cat")] == ["ab", "cd", "ab", "ef"]
    assert draw("dan") == ""
    clock[0] = LEASE_S / 2
    assert draw("cat") == "ef"
    clock[0] = LEASE_S + 1  # ann and bob left, cat did not
    assert draw("dan") == "ab"
    assert draw("bob") == "cd"
    gone.add("dan")  # a page that was closed
    assert draw("dan again") == "ab"
